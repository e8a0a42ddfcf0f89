"""The site builds without a warning, shows all public names and the notebook, and needs no network to be read."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from pathlib import Path

import pytest

import semguide
from support.docs.snippets import ROOT


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as `make docs` builds it."""
    out = tmp_path_factory.mktemp("site")
    options = ["-W", "--keep-going", "-q", "-b", "html", "-d", str(out / "doctrees")]
    command = [sys.executable, "-m", "sphinx", *options, str(ROOT / "docs"), str(out / "html")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out / "html"


def text_of(page: Path) -> str:
    """Return the text of a page, without its markup."""
    return html.unescape(re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8")))


def test_every_page_is_built_and_can_be_reached_from_the_front_page(site: Path):
    front = (site / "index.html").read_text(encoding="utf-8")
    for page in (ROOT / "docs").glob("*.md"):
        assert (site / f"{page.stem}.html").is_file()
        assert page.stem == "index" or f'href="{page.stem}.html"' in front, page.name


def test_every_public_name_is_in_the_reference(site: Path):
    reference = (site / "api.html").read_text(encoding="utf-8")
    missing = [name for name in semguide.__all__ if f'id="semguide.{name}"' not in reference]
    assert missing in ([], ["__version__"])


def test_formulas_of_docstrings_keep_their_form(site: Path):
    assert "d_k    = s_k - mean_j s_j" in text_of(site / "api.html")
    assert "c = |cos(p, .)|" in text_of(site / "api.html")


def test_the_notebook_is_a_page(site: Path):
    assert "Your own model" in text_of(site / "tour.html")
    assert "data:image/png;base64," in (site / "tour.html").read_text(encoding="utf-8")


def test_the_front_page_shows_a_picture(site: Path):
    assert 'src="_images/demo.png"' in (site / "index.html").read_text(encoding="utf-8")
    assert (site / "_images" / "demo.png").is_file()


def test_the_site_needs_no_network(site: Path):
    for page in site.glob("*.html"):
        assert not re.findall(r"<(?:script|img|iframe)[^>]*src=\"(?:https?:)?//", page.read_text(encoding="utf-8"))
        assert not re.findall(r"<link[^>]*stylesheet[^>]*href=\"(?:https?:)?//", page.read_text(encoding="utf-8"))
