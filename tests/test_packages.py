"""What the two distributions would pack, and how they know each other."""

from __future__ import annotations

import sys
import zlib
from pathlib import Path
from typing import Any

import pytest

from semguide import plugins

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = pytest.importorskip("tomli")

ROOT = Path(__file__).resolve().parents[1]
GROUPS = ("models", "suites", "judges", "clip_scorers", "commands")


def project(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def packed(folder: Path, kind: str = "wheel") -> dict[str, Path]:
    """Return the files of a wheel (or "sdist") by their place in it, as hatchling chooses them."""
    builders = pytest.importorskip(f"hatchling.builders.{kind}")
    builder = getattr(builders, f"{kind.capitalize()}Builder")(str(folder))
    return {file.distribution_path: Path(file.path) for file in builder.recurse_included_files()}


def test_the_wheel_of_semguide_is_small():
    files = packed(ROOT)
    size = sum(len(zlib.compress(path.read_bytes())) for path in files.values())
    assert size < 2_000_000
    assert not [name for name in files if name.endswith(".safetensors")]
    assert {name.split("/")[0] for name in files} == {"semguide"}


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
@pytest.mark.parametrize("folder", [ROOT, ROOT / "emoji"], ids=["semguide", "semguide-emoji"])
def test_every_file_of_a_release_is_small_enough_for_an_index(folder: Path, kind: str):
    assert sum(path.stat().st_size for path in packed(folder, kind).values()) < 100_000_000


def test_the_wheel_with_the_sprites_holds_the_licence_of_the_font():
    assert "semguide_emoji/assets/sprites/atlas.png" in packed(ROOT / "emoji")
    licences = project(ROOT / "emoji")["license-files"]
    texts = [(ROOT / "emoji" / name).read_text(encoding="utf-8") for name in licences]
    assert any("SIL OPEN FONT LICENSE Version 1.1 - 26 February 2007" in text for text in texts)
    assert any("Apache License" in text for text in texts)


def test_both_distributions_have_one_version():
    semguide, emoji = project(ROOT), project(ROOT / "emoji")
    assert emoji["version"] == semguide["version"]
    assert emoji["dependencies"] == [f"semguide=={semguide['version']}"]
    assert emoji["requires-python"] == semguide["requires-python"]


@pytest.mark.parametrize("group", GROUPS)
def test_every_entry_point_leads_to_something_of_its_name(group: str):
    declared = project(ROOT / "emoji")["entry-points"][f"semguide.{group}"]
    found = plugins.load_all(f"semguide.{group}")
    assert declared.keys() <= found.keys()
    for name in declared:
        thing = found[name]
        assert getattr(thing, "name", getattr(thing, "__name__", None)) == name
