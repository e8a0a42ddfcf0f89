"""The formula of Perp-Neg, computed by hand: p = (3, 4), s = (5, 0), so perp(s, p) = (3.2, -2.4)."""

from __future__ import annotations

import pytest
import torch

from semguide.guidance import PerpNeg, Step
from support.rule_cases import hand_predictions, random_predictions


def test_perpendicular_component_is_taken_away() -> None:
    rule = PerpNeg(negative_weight=1.5)
    correction, _ = rule.correct(hand_predictions([3, 4], [5, 0]), Step(0, 10, 2.0), None)
    assert correction.delta.flatten().tolist() == pytest.approx([-9.6, 7.2])
    assert correction.gate.tolist() == [-1]
    assert correction.weight.tolist() == pytest.approx([-3])
    assert correction.similarity.tolist() == pytest.approx([0.6])


def test_concepts_are_summed() -> None:
    predictions = hand_predictions([1, 0, 0], [9, 2, 0], [-9, 0, 3])
    correction, _ = PerpNeg().correct(predictions, Step(0, 10, 2.0), None)
    assert correction.delta.flatten().tolist() == pytest.approx([0, -4, -6])


def test_what_a_concept_shares_with_the_prompt_is_spared() -> None:
    correction, _ = PerpNeg().correct(hand_predictions([3, 4], [6, 8]), Step(0, 10, 7.5), None)
    assert correction.delta.abs().max() < 1e-12
    p = random_predictions(2)
    correction, _ = PerpNeg().correct(p, Step(0, 10, 7.5), None)
    assert torch.dot(correction.delta.flatten(), p.prompt_guidance.flatten()).item() == pytest.approx(0, abs=1e-9)


def test_concepts_are_needed_at_every_step() -> None:
    assert all(PerpNeg().needs_concepts(step, 10, 2) for step in range(10))
