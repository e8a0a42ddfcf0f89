from __future__ import annotations

import re

from semguide.guidance import BalancedSGT
from semguide.guidance.citations import SOFTWARE
from support.docs.snippets import ROOT

NOTE = (ROOT / "docs" / "technical-note.md").read_text(encoding="utf-8")
RESULTS = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")


def test_every_measured_number_of_the_note_stands_in_the_results():
    measured = set(re.findall(r"(?<![\d.])[-+]?\d\.\d{2,}(?!\d)", NOTE))
    assert len(measured) > 30
    assert {number for number in measured if number.lstrip("+-") not in RESULTS} == set()


def test_the_note_states_the_defaults():
    rule = BalancedSGT()
    assert f"strength {rule.strength:g}, sharpness {rule.sharpness:g}, the first two fifths of the steps" in NOTE
    assert (rule.start, rule.stop) == (0.0, 0.4)


def test_the_citation_file_names_the_software_as_the_entry_does():
    cff = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    (title,) = re.findall(r"title   = \{(.*)\}", SOFTWARE)
    assert f'title: "{title}"' in cff
    assert "type: software" in cff
    assert "arXiv:2312.15964" in cff
