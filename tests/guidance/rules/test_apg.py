"""Adaptive projected guidance: diffusers' own guider, and a case by hand."""

from __future__ import annotations

import pytest
import torch
from diffusers.guiders import AdaptiveProjectedGuidance

from semguide.guidance import APG, Step
from support.rule_cases import deltas, hand_predictions, random_predictions

W = 4.0


@pytest.mark.parametrize("threshold", [0.0, 12.0, 15.0])
@pytest.mark.parametrize("parallel", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("momentum", [0.0, -0.5])
def test_it_equals_the_guider_of_diffusers_at_every_step(threshold: float, parallel: float, momentum: float) -> None:
    theirs = AdaptiveProjectedGuidance(W, momentum or None, threshold, eta=parallel)
    sequence = [random_predictions(step) for step in range(4)]
    found = deltas(APG(W, threshold, parallel, momentum), sequence)
    for step, (predictions, delta) in enumerate(zip(sequence, found, strict=True)):
        theirs.set_state(step, 4, torch.LongTensor([0]))
        if step == 0:
            theirs.prepare_inputs({})
        expected = theirs.forward(predictions.cond[None], predictions.uncond[None]).pred[0]
        guided = predictions.uncond + W * (predictions.cond - predictions.uncond) + delta
        torch.testing.assert_close(guided, expected)


def test_the_guidance_is_cut_to_the_threshold_and_loses_what_lies_along_the_prediction() -> None:
    """e(0) = (1, 1), p = (3, 4), so e(P) = (4, 5) and d' = (0.6, 0.8)."""
    correction, state = APG(2.0, 1.0, 0.0, 0.0).correct(hand_predictions([3, 4], [1, 0]), Step(0, 10, 2.0), None)
    share = (0.6 * 4 + 0.8 * 5) / 41
    across = [0.6 - 4 * share, 0.8 - 5 * share]
    assert correction.delta.flatten().tolist() == pytest.approx([2 * (across[0] - 3), 2 * (across[1] - 4)])
    assert state.flatten().tolist() == [3, 4]


def test_it_asks_for_no_concepts_and_costs_what_plain_guidance_does() -> None:
    assert not any(APG().needs_concepts(step, 10, 2) for step in range(10))
    assert APG().evaluations_per_image(25, 2) == 50
