"""CO3's new latents against numbers by hand and against composed Tweedie means."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from semguide.evaluation.sampling_methods.co3 import concept_shares, correct_latents, resample_latents
from support.rule_cases import hand_predictions, random_predictions

SIGMA = torch.tensor(0.5, dtype=torch.float64)


def x_like(prediction: Tensor) -> Tensor:
    return torch.randn(prediction.shape, generator=torch.Generator().manual_seed(9), dtype=torch.float64)


def test_the_concept_nearest_to_the_prompt_has_the_largest_share() -> None:
    predictions = hand_predictions([3, 4], [3, 5], [3, 7])  # distances 1 and 3
    near = 1 / (1 + math.exp(-2 * 0.8))
    assert concept_shares(predictions, 0.8).tolist() == pytest.approx([near, 1 - near])
    assert concept_shares(predictions, 0.0).tolist() == [0.5, 0.5]


def test_resampled_latents_are_noise_by_hand() -> None:
    predictions = hand_predictions([3, 4], [5, 0], [0, 1])  # e(0) is 1, e(P) (4, 5), concepts (6, 1) and (1, 2)
    share = torch.tensor([0.25, 0.75], dtype=torch.float64)
    new = resample_latents(predictions, SIGMA, share, 0.8)  # the mean concept is (2.25, 1.75)
    assert new.flatten().tolist() == pytest.approx([0.5 * (1 - 0.8 * 1.75), 0.5 * (1 - 0.8 * 3.25)])
    assert torch.equal(resample_latents(predictions, SIGMA, share, 0.0), SIGMA * predictions.uncond)


def test_resampled_latents_compose_tweedie_means_with_weights_that_sum_to_zero() -> None:
    p = random_predictions(1, concepts=3)
    x, share = x_like(p.cond), concept_shares(p, 0.1)
    mean = torch.zeros_like(x)
    for weight, prediction in zip([1.0, *(-share).tolist()], [p.cond, *p.concepts], strict=True):
        mean = mean + weight * (x - SIGMA * (p.uncond + 0.8 * (prediction - p.uncond)))
    torch.testing.assert_close(resample_latents(p, SIGMA, share, 0.8), mean + SIGMA * p.uncond)


@pytest.mark.parametrize("contrast", [0.0, 0.5, 1.0])
def test_corrected_latents_compose_tweedie_means_with_weights_that_sum_to_one(contrast: float) -> None:
    p = random_predictions(2, concepts=3)
    x, share = x_like(p.cond), concept_shares(p, 0.1)
    means = [x - SIGMA * (p.uncond + 0.8 * (prediction - p.uncond)) for prediction in (p.cond, *p.concepts)]
    weights = [1 + contrast, *(-contrast * share).tolist()]
    assert sum(weights) == pytest.approx(1)
    composed = sum((weight * mean for weight, mean in zip(weights, means, strict=True)), torch.zeros_like(x))
    composed = composed * means[0].max() / composed.max() + SIGMA * p.uncond
    expected = composed * x.norm() / composed.norm()
    torch.testing.assert_close(correct_latents(x, p, SIGMA, (contrast, share), 0.8), expected)


def test_corrected_latents_keep_their_size_and_scale_zero_keeps_them() -> None:
    p = random_predictions(3)
    x, share = x_like(p.cond), concept_shares(p, 0.1)
    torch.testing.assert_close(correct_latents(x, p, SIGMA, (1.0, share), 0.0), x)
    torch.testing.assert_close(correct_latents(x, p, SIGMA, (1.0, share), 2.0).norm(), x.norm())
