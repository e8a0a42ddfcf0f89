"""The formula of Composable Diffusion, by hand and against classifier-free guidance."""

from __future__ import annotations

import pytest
import torch

from semguide.guidance import Composable, Predictions, Step
from support.refusals import refuses
from support.rule_cases import hand_predictions, random_predictions


def guided(rule: Composable, predictions: Predictions, scale: float) -> torch.Tensor:
    """Return what the host makes of the correction."""
    correction, _ = rule.correct(predictions, Step(0, 10, scale), None)
    return predictions.uncond + scale * predictions.prompt_guidance + correction.delta


def test_concepts_replace_the_prompt() -> None:
    predictions = hand_predictions([3, 4], [5, 0], [0, 1])
    torch.testing.assert_close(guided(Composable(), predictions, 2.0).flatten().tolist(), [11.0, 3.0])
    correction, _ = Composable(concept_weight=0.5).correct(predictions, Step(0, 10, 2.0), None)
    assert correction.delta.flatten().tolist() == pytest.approx([-1, -7])  # 2 (0.5 (5, 1) - (3, 4))
    assert correction.weight.tolist() == [1, 1]
    assert correction.gate.tolist() == [1, 1]
    assert correction.similarity.tolist() == pytest.approx([0.6, 0.8])


def test_prompt_can_be_one_of_the_concepts() -> None:
    predictions = hand_predictions([3, 4], [5, 0])
    both = guided(Composable(prompt_weight=1.0), predictions, 2.0)
    assert both.flatten().tolist() == pytest.approx([17, 9])  # 1 + 2 ((3, 4) + (5, 0))


@pytest.mark.parametrize("scale", [1.5, 7.5])
def test_prompt_as_the_only_concept_is_classifier_free_guidance(scale: float) -> None:
    p = random_predictions(3, concepts=1)
    same = Predictions(p.uncond, p.cond, p.cond[None])
    torch.testing.assert_close(guided(Composable(), same, scale), p.uncond + scale * (p.cond - p.uncond))


def test_whole_prompt_does_not_matter_as_published() -> None:
    p = random_predictions(4)
    other = Predictions(p.uncond, random_predictions(5).cond, p.concepts)
    torch.testing.assert_close(guided(Composable(), other, 3.0), guided(Composable(), p, 3.0))


def test_concepts_are_needed_at_every_step() -> None:
    assert all(Composable().needs_concepts(step, 10, 2) for step in range(10))


def test_no_weight_at_all_is_refused() -> None:
    with refuses("concept_weight", "must be > 0 unless prompt_weight"):
        Composable(concept_weight=0.0)
