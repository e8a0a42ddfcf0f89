"""The documentation site: `make docs` builds it into docs/_build/html, offline, with warnings as errors."""

from __future__ import annotations

import sys
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "src"), str(HERE / "_ext")]

project = "semguide"
release = version = version_of("semguide")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "docstrings", "notebook", "parameters"]
exclude_patterns = ["_build", "_ext"]
highlight_language = "text"  # of blocks that name no language: formulas, mostly
smartquotes_action = "D"  # dashes only

myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # docstrings say what a parameter is; the signature stays short
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_attr_annotations = False
napoleon_use_rtype = False

html_theme = "furo"
html_title = "semguide"
html_static_path = ["_static"]
html_css_files = ["semguide.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_theme_options = {"footer_icons": [], "sidebar_hide_name": False}

OPTIONAL_PAGES = ("serve", "guider", "comfyui", "sdnext-forge", "models", "training")
"""Entries of index.md that are left out where there is no such page."""


def _only_pages_that_are_there(_app: Any, docname: str, content: list[str]) -> None:
    if docname == "index":
        absent = {page for page in OPTIONAL_PAGES if not (HERE / f"{page}.md").is_file()}
        content[0] = "\n".join(line for line in content[0].split("\n") if line not in absent)


def setup(app: Any) -> None:
    """Register with Sphinx."""
    app.connect("source-read", _only_pages_that_are_there)
