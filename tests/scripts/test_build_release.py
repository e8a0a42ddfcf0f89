"""What scripts/build_release refuses to build; nothing is built here."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = 'version = "1.2.3"\nRepository = "https://github.com/someone/semguide"\n'


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a folder that could be released as v1.2.3."""
    for name in ("scripts", "emoji"):
        (tmp_path / name).mkdir()
    shutil.copy(ROOT / "scripts" / "build_release", tmp_path / "scripts")
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "emoji" / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "CHANGELOG.md").write_text("## [Unreleased]\n\n## [1.2.3] - 2026-01-02\n")
    return tmp_path


def refusal(checkout: Path, *arguments: str) -> str:
    command = ["bash", str(checkout / "scripts" / "build_release"), *arguments]
    environment = {"PATH": "/usr/bin:/bin", "PIP_NO_INDEX": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode != 0
    assert not (checkout / "dist").exists()
    return done.stderr


@pytest.mark.parametrize("file", ["pyproject.toml", "emoji/pyproject.toml"])
def test_a_tag_that_is_not_the_version_of_both_projects_is_refused(checkout: Path, file: str):
    (checkout / file).write_text(PROJECT.replace("1.2.3", "1.2.4"))
    assert f"tag must be v and the version in {file}, got v1.2.3" in refusal(checkout, "v1.2.3")


def test_a_version_without_a_heading_of_the_changelog_is_refused(checkout: Path):
    (checkout / "CHANGELOG.md").write_text("## [Unreleased]\n")
    assert "CHANGELOG.md must have a heading of 1.2.3" in refusal(checkout, "v1.2.3")


def test_projects_that_name_no_host_yet_are_refused_with_the_remedy(checkout: Path):
    (checkout / "emoji" / "pyproject.toml").write_text(PROJECT.replace("github.com/someone", "project.invalid"))
    assert "run: python scripts/project_url.py URL" in refusal(checkout, "v1.2.3")


def test_without_a_tag_the_usage_is_said(checkout: Path):
    assert "usage: scripts/build_release vX.Y.Z" in refusal(checkout)
