"""The address of whoever publishes."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "project_url.py"
module: Any = runpy.run_path(str(SCRIPT))
PLACES, project_url, write = module["PLACES"], module["project_url"], module["write"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a folder with the files that name the address."""
    for place in PLACES:
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_bytes((ROOT / place).read_bytes())
    return tmp_path


def test_every_place_names_the_same_address_and_no_other_file_does() -> None:
    found = subprocess.run(
        ["git", "grep", "-l", project_url(), "--", ":!tests", ":!scripts/project_url.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode != 128 or pytest.skip("no git repository")
    assert sorted(found.stdout.split()) == sorted(PLACES)


def test_a_new_address_takes_the_place_of_the_old_one_everywhere_and_once_more_changes_nothing(root: Path) -> None:
    old, new = project_url(root), "https://github.com/someone/semguide"
    assert write(new, root) == list(PLACES)
    for place in PLACES:
        text = (root / place).read_text(encoding="utf-8")
        assert new in text
        assert old not in text
    assert project_url(root) == new
    assert write(new, root) == []


@pytest.mark.parametrize("url", ["semguide", "http://example.com/a", "https://example.com/a/", "https://example.com"])
def test_what_is_no_address_of_a_repository_is_refused(url: str) -> None:
    done = subprocess.run([sys.executable, str(SCRIPT), url], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "url must begin with https://" in done.stderr
