"""The formula of BalancedSGT, computed by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from semguide.guidance import BalancedSGT, Correction, Predictions, Step
from semguide.guidance.rules.balanced_sgt import balanced
from support.rule_cases import hand_predictions, random_predictions


def correct(predictions: Predictions, scale: float = 2.0, **parameters: Any) -> Correction:
    return BalancedSGT(**{"stop": 1.0, **parameters}).correct(predictions, Step(0, 10, scale), None)[0]


def places_by_hand(predictions: Predictions, sharpness: float) -> Tensor:
    """Return (2, place): of two concepts by bisection of the one offset that balances their shares."""
    p, (a, b) = predictions.prompt_guidance, predictions.concept_guidance
    affinity = ((a - b) / 2 * p).sum(dim=0).flatten()
    affinity = affinity / affinity.square().mean().sqrt()
    size = p.square().sum(dim=0).flatten()
    low, high = -100.0, 100.0

    def first() -> Tensor:
        return (2 * sharpness * affinity + (low + high) / 2).sigmoid()

    for _ in range(100):
        middle = (low + high) / 2
        low, high = (low, middle) if float((first() * size).sum() / size.sum()) > 0.5 else (middle, high)
    return torch.stack([first(), 1 - first()])


def test_the_unconditional_prediction_counts_through_the_prompts_guidance_only() -> None:
    given = random_predictions(3)
    shift = torch.randn_like(given.cond)
    moved = Predictions(given.uncond + shift, given.cond + shift, given.concepts)
    torch.testing.assert_close(correct(moved).delta, correct(given).delta, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 2.0])
def test_each_concept_is_added_in_its_half_of_the_guidance(sharpness: float) -> None:
    predictions = random_predictions(3)
    m = places_by_hand(predictions, sharpness)
    a, b = predictions.concept_guidance
    d = (a - b) / 2
    expected = 2.0 * 0.7 * ((m[0] - m[1]).reshape(d.shape[1:]) * d)
    correction = correct(predictions, strength=0.7, sharpness=sharpness)
    torch.testing.assert_close(correction.delta, expected, rtol=5e-3, atol=1e-3)
    torch.testing.assert_close(correction.weight, 0.7 * m.mean(dim=1), rtol=5e-3, atol=1e-3)


def test_a_concept_that_the_prompt_leans_towards_nowhere_gets_its_places_all_the_same() -> None:
    """Channels are positions of `hand_predictions` turned round: two channels, three places."""
    guidances = torch.tensor([[[3.0, 2.0, 1.0], [0, 0, 0.5]], [[1.0, 1, 1], [0, 0, 0]], [[0.0, 0, 0], [1, 1, 1]]])
    guidances = guidances.double()[:, :, None]
    correction = correct(Predictions(0 * guidances[0], guidances[0], guidances[1:]), sharpness=3.0)
    assert correction.gate[0] == 0
    assert correction.gate[1] > 0.8  # hardly anything of the guidance would be its own
    second_minus_first = correction.delta[1] - correction.delta[0]
    assert second_minus_first[0, 0] < 0 < second_minus_first[0, 2]


def test_shares_are_equal_for_any_number_of_concepts() -> None:
    generator = torch.Generator().manual_seed(0)
    for concepts in (2, 3, 5):
        affinity = torch.randn(concepts, 64, generator=generator, dtype=torch.float64) + torch.arange(concepts)[:, None]
        size = torch.rand(64, generator=generator, dtype=torch.float64)
        places = balanced(affinity, size / size.sum())
        torch.testing.assert_close(places.sum(dim=0), torch.ones(64, dtype=torch.float64))
        shares = (places * size / size.sum()).sum(dim=1)
        torch.testing.assert_close(shares, torch.full_like(shares, 1 / concepts), rtol=2e-3, atol=0)


def test_a_lone_concept_is_left_alone() -> None:
    correction = correct(hand_predictions([3, 4], [5, 0]))
    assert (correction.delta == 0).all()
    assert correction.similarity.tolist() == pytest.approx([0.6])


def test_concepts_that_guide_alike_are_left_alone() -> None:
    correction = correct(hand_predictions([3, 4, 1], [5, 0, 2], [5, 0, 2]))
    assert (correction.delta == 0).all()


def test_correction_keeps_its_share_of_guidance_at_any_guidance_scale() -> None:
    predictions = random_predictions(4, concepts=3)
    torch.testing.assert_close(correct(predictions, 6.0).delta, 3 * correct(predictions, 2.0).delta)


def test_order_of_the_concepts_does_not_matter() -> None:
    p = random_predictions(5, concepts=3)
    turned = Predictions(p.uncond, p.cond, p.concepts.flip(0))
    torch.testing.assert_close(correct(turned).delta, correct(p).delta)
    torch.testing.assert_close(correct(turned).gate, correct(p).gate.flip(0))
