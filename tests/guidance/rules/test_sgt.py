"""The formula of SGT, computed by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from guidance.cases import hand_predictions
from semguide.guidance import SGT, Correction, Predictions, Step


def correct(predictions: Predictions, scale: float = 2.0, **parameters: Any) -> Correction:
    return SGT(**{"stop": 1.0, **parameters}).correct(predictions, Step(0, 10, scale), None)[0]


def test_one_lagging_concept_is_corrected_by_its_deficit() -> None:
    correction = correct(hand_predictions([3, 4], [5, 0]), threshold=0.8, strength=0.5)
    expected = 2 * 5 * 0.5 * 0.2 * torch.tensor([1.0, 0.0], dtype=torch.float64)  # w |p| strength deficit unit(own)
    torch.testing.assert_close(correction.delta.flatten(), expected)
    assert correction.similarity.tolist() == pytest.approx([0.6])
    assert correction.gate.tolist() == pytest.approx([0.2])
    assert correction.weight.tolist() == pytest.approx([0.1])


def test_concept_at_its_target_is_left_alone() -> None:
    assert (correct(hand_predictions([3, 4], [5, 0]), threshold=0.6).delta.abs() < 1e-12).all()
    assert (correct(hand_predictions([3, 4], [5, 0]), threshold=0.3).delta == 0).all()


def test_target_is_relative_to_the_other_concepts() -> None:
    predictions = hand_predictions([1, 0, 0], [0, 1, 0], [1, 0, 0], [3, 0, 4])  # cosines 0, 1, 0.6
    assert correct(predictions, relative=1.0).gate.tolist() == pytest.approx([0.8, 0, 0])
    assert correct(predictions, relative=0.5, threshold=0.4).gate.tolist() == pytest.approx([0.6, 0, 0])


def test_opposite_concept_has_a_full_deficit_at_most() -> None:
    assert correct(hand_predictions([1, 0], [-1, 0.1]), threshold=0.5).gate.tolist() == [1.0]


def test_lagging_concept_is_steered_by_what_the_others_have_not() -> None:
    predictions = hand_predictions([1, 0, 0], [3, 4, 0], [1, 0, 0])  # cosines 0.6 and 1
    correction = correct(predictions, relative=1.0, strength=1.0)
    assert correction.gate.tolist() == pytest.approx([0.4, 0])
    direction = correction.delta.flatten() / correction.delta.norm()
    torch.testing.assert_close(direction, torch.tensor([0, 1, 0], dtype=torch.float64), atol=2e-3, rtol=0)
    assert correction.delta.norm().item() == pytest.approx(2 * 1 * 0.4 / 2)  # w |p| strength deficit / K


def test_correction_keeps_its_share_of_guidance_at_any_guidance_scale() -> None:
    predictions = hand_predictions([3, 4], [5, 0])
    torch.testing.assert_close(correct(predictions, 6.0).delta, 3 * correct(predictions, 2.0).delta)


def test_length_of_a_concepts_guidance_does_not_matter() -> None:
    short, long = (correct(hand_predictions([3, 4], [length, 0]), threshold=0.9) for length in (0.1, 9.0))
    torch.testing.assert_close(short.delta, long.delta)
