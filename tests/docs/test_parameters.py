from __future__ import annotations

import re

import pytest

from semguide.evaluation.sampling_methods import SAMPLING_METHODS
from semguide.guidance import METHODS
from semguide.guidance.parameters import parameters_of
from support.docs.scripts import script
from support.docs.snippets import ROOT

page = script("_ext/parameters.py")
PAGES = [ROOT / "docs" / "method.md", ROOT / "docs" / "other-methods.md"]


@pytest.mark.parametrize("kind", [*METHODS.values(), *SAMPLING_METHODS.values()], ids=[*METHODS, *SAMPLING_METHODS])
def test_every_method_has_a_table_of_all_its_parameters(kind: type):
    table = page.filled(f"<!-- parameters of {kind.name} -->")
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", table, flags=re.MULTILINE))
    assert list(rows) == [each.name for each in parameters_of(kind)]


def test_the_pages_show_the_tables_of_every_rule():
    shown = {name for path in PAGES for name in page.MARK.findall(path.read_text(encoding="utf-8"))}
    assert set(METHODS) - {"cfg"} <= shown


def test_the_reference_lists_the_parameters_of_a_rule():
    lines = script("_ext/docstrings.py").parameter_lines(METHODS["cdg"])
    assert any(line.startswith("    degraded (prompt or concepts): ") for line in lines)
