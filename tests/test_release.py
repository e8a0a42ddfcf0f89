"""What states the version says the same: both projects, changelog, citation and the node pack."""

from __future__ import annotations

import datetime as dt
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = pytest.importorskip("tomli")

ROOT = Path(__file__).resolve().parents[1]
PACK = ROOT / "src" / "semguide" / "adapters" / "hosts" / "comfyui" / "pack"
RELEASE = re.compile(r"\[(\d+\.\d+\.\d+)\] - (\d{4}-\d{2}-\d{2})")
GROUPS = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]


def project(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def headings(level: int) -> list[str]:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    return re.findall(rf"^{'#' * level} (.+)$", text, re.MULTILINE)


def releases() -> list[tuple[Version, dt.date]]:
    """Return version and date of every heading of the changelog but Unreleased, from above."""
    found = [RELEASE.fullmatch(heading) for heading in headings(2) if heading != "[Unreleased]"]
    assert all(found), headings(2)
    return [(Version(each[1]), dt.date.fromisoformat(each[2])) for each in found if each]


def citation(field: str) -> str:
    found = re.search(rf"^{field}: (\S+)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None, f"CITATION.cff has no {field}"
    return found[1]


@pytest.mark.parametrize("folder", [ROOT, ROOT / "emoji", PACK], ids=["semguide", "semguide-emoji", "node pack"])
def test_the_newest_release_of_the_changelog_is_the_version(folder: Path):
    assert project(folder)["version"] == str(releases()[0][0])


def test_the_citation_has_version_and_date_of_the_newest_release():
    version, date = releases()[0]
    assert citation("version") == str(version)
    assert citation("date-released").strip("'\"") == date.isoformat()


def test_unreleased_stands_above_all_releases_or_nowhere():
    assert "[Unreleased]" not in headings(2)[1:]


def test_releases_stand_newest_first():
    found = releases()
    assert found == sorted(found, reverse=True)
    assert len({version for version, _ in found}) == len(found)
    assert [date for _, date in found] == sorted((date for _, date in found), reverse=True)


def test_changes_are_grouped_as_keep_a_changelog_says():
    assert set(headings(3)) <= set(GROUPS)
