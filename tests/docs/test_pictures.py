from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.docs.scripts import script
from support.docs.snippets import PAGES, ROOT

pictures = script("make_pictures.py")


def test_the_same_picture_is_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made: list[bytes] = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        monkeypatch.setattr(pictures, "IMAGES", tmp_path / name)
        pictures.main(["geometry"])
        made.append((tmp_path / name / "geometry.png").read_bytes())
    assert made[0] == made[1]


def test_a_picture_that_is_not_made_here_is_refused():
    with pytest.raises(SystemExit, match=r"pictures must be of demo, .* got everything"):
        pictures.main(["everything"])


def test_every_picture_in_the_folder_is_on_a_page_and_the_other_way_round():
    shown = {name for page in PAGES for name in re.findall(r"images/([\w-]+\.png)\)", page.read_text(encoding="utf-8"))}
    assert shown == {file.name for file in (ROOT / "docs" / "images").glob("*.png")}
