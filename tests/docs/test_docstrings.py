from __future__ import annotations

import pytest

from support.docs.scripts import script

readable = script("_ext/docstrings.py").readable


@pytest.mark.parametrize(
    ("plain", "escaped"),
    [
        ("with c = |cos(p, .)| and x * y", r"with c = \|cos(p, .)\| and x \* y"),
        ("some `Concept`s and |p|", r"some ``Concept``\ s and \|p\|"),
        ("    **arguments: the pipeline's *own*", r"    **arguments: the pipeline's \*own\*"),
        (">>> 2 * 3", ">>> 2 * 3"),
        ("Args:", "Args:"),
    ],
)
def test_a_line_means_what_it_says(plain: str, escaped: str):
    assert readable([plain]) == [escaped]


def test_an_indented_block_after_a_colon_is_literal():
    plain = ["With |p|:", "", "    out = |p| * x", "", "    more = x", "", "Then |p| again."]
    assert readable(plain) == [r"With \|p\|::", *plain[1:6], r"Then \|p\| again."]


def test_sections_are_left_to_napoleon():
    plain = ["Args:", "    scale: w, a number.", "", "Returns:", "    A picture."]
    assert readable(plain) == plain
