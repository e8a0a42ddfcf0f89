"""Plain classifier-free guidance."""

from __future__ import annotations

import pytest

from semguide.guidance import CFG, Step
from support.rule_cases import hand_predictions


def test_cfg_records_signed_cosines_and_corrects_nothing() -> None:
    predictions = hand_predictions([3, 4], [5, 0], [-5, 0])
    correction, _ = CFG().correct(predictions, Step(0, 10, 7.5), None)
    assert correction.similarity.tolist() == pytest.approx([0.6, -0.6])
    assert (correction.delta == 0).all()
    assert correction.abstract is None
