"""CFG-Zero*: diffusers' own guider, and a standstill at first."""

from __future__ import annotations

import pytest
import torch
from diffusers.guiders import ClassifierFreeZeroStarGuidance

from semguide.guidance import CFGZeroStar, Step
from support.rule_cases import deltas, hand_predictions, random_predictions

W = 4.0


@pytest.mark.parametrize("zeroed", [0, 1, 2])
def test_it_equals_the_guider_of_diffusers_on_a_model_of_velocities(zeroed: int) -> None:
    theirs = ClassifierFreeZeroStarGuidance(W, zeroed)
    sequence = [random_predictions(step) for step in range(4)]
    velocities = [torch.tensor(1 - step / 4) for step in range(4)]
    found = deltas(CFGZeroStar(W, zeroed), sequence, velocities)  # type: ignore[arg-type]
    for step, (predictions, delta) in enumerate(zip(sequence, found, strict=True)):
        theirs.set_state(step, 4, torch.LongTensor([0]))
        expected = theirs.forward(predictions.cond[None], predictions.uncond[None]).pred[0]
        guided = predictions.uncond + W * (predictions.cond - predictions.uncond) + delta
        torch.testing.assert_close(guided, expected, rtol=1e-6, atol=1e-6)  # their scale is in float32


def test_the_unconditional_prediction_is_scaled_to_fit_that_of_the_prompt() -> None:
    """e(0) = (1, 1) and e(P) = (4, 5): s = 9 / 2, so that delta = (w - 1) (1 - s) e(0)."""
    correction, _ = CFGZeroStar(3.0).correct(hand_predictions([3, 4], [1, 0]), Step(0, 10, 3.0), None)
    assert correction.delta.flatten().tolist() == pytest.approx([-7.0, -7.0])


def test_a_model_of_eps_is_not_zeroed() -> None:
    first, second = (deltas(CFGZeroStar(W, zeroed), [random_predictions(1)])[0] for zeroed in (0, 1))
    assert torch.equal(first, second)


def test_it_asks_for_no_concepts_and_costs_what_plain_guidance_does() -> None:
    assert not any(CFGZeroStar().needs_concepts(step, 10, 2) for step in range(10))
    assert CFGZeroStar().evaluations_per_image(25, 2) == 50
