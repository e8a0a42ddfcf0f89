"""The composition of CO3, by hand and against the composition of Tweedie means."""

from __future__ import annotations

import math

import pytest
import torch

from semguide.guidance import CO3Composition, Correction, Predictions, Step
from support.rule_cases import hand_predictions, random_predictions


def correct(rule: CO3Composition, predictions: Predictions, scale: float = 2.0, eps_scale: float = 1.0) -> Correction:
    return rule.correct(predictions, Step(0, 10, scale, eps_scale), None)[0]


def test_equal_weights_contrast_the_prompt_with_the_mean_concept() -> None:
    correction = correct(CO3Composition(closeness=0.0, contrast=0.5), hand_predictions([3, 4], [5, 0], [0, 1]))
    assert correction.delta.flatten().tolist() == pytest.approx([0.5, 3.5])  # 2 * 0.5 ((3, 4) - (2.5, 0.5))
    assert correction.weight.tolist() == pytest.approx([-0.5, -0.5])
    assert correction.gate.tolist() == [-1, -1]


def test_nearest_concept_weighs_most() -> None:
    predictions = hand_predictions([3, 4], [3, 5], [3, 7])  # distances 1 and 3
    near = 1 / (1 + math.exp(-2 * 0.8))
    correction = correct(CO3Composition(), predictions)
    assert correction.weight.tolist() == pytest.approx([-2 * near, -2 * (1 - near)])
    assert correction.delta.flatten().tolist() == pytest.approx([0, -2 * (near + 3 * (1 - near))])
    halved = Predictions(*(x / -2 for x in (predictions.uncond, predictions.cond, predictions.concepts)))
    assert correct(CO3Composition(), halved, eps_scale=-2.0).weight.tolist() == pytest.approx(
        correction.weight.tolist()
    )


@pytest.mark.parametrize("contrast", [0.3, 1.0, 2.0])
def test_it_composes_the_tweedie_means_with_weights_that_sum_to_one(contrast: float) -> None:
    p, x, sigma, scale = random_predictions(1, concepts=3), random_predictions(2).cond, 0.7, 5.0
    correction = correct(CO3Composition(contrast=contrast), p, scale)
    weights = [1 + contrast, *(correction.weight / scale).tolist()]
    assert sum(weights) == pytest.approx(1)
    composed = torch.zeros_like(x)
    for weight, prediction in zip(weights, [p.cond, *p.concepts], strict=True):
        composed = composed + weight * (x - sigma * (p.uncond + scale * (prediction - p.uncond)))
    guided = p.uncond + scale * (p.cond - p.uncond) + correction.delta
    torch.testing.assert_close(x - sigma * guided, composed)


def test_concept_that_is_the_prompt_changes_nothing() -> None:
    assert (correct(CO3Composition(), hand_predictions([3, 4], [3, 4])).delta == 0).all()


def test_window_is_the_first_fifth() -> None:
    assert [step for step in range(50) if CO3Composition().needs_concepts(step, 50, 2)] == list(range(10))
    rule = CO3Composition(start=0.5, stop=0.8)
    assert [step for step in range(10) if rule.needs_concepts(step, 10, 2)] == [5, 6, 7]
    assert (correct(rule, hand_predictions([3, 4], [5, 0])).delta == 0).all()
