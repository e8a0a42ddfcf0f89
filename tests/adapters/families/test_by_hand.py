"""Steered pipelines do what a loop written by hand does."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from adapters.families.by_hand import BY_HAND, Attraction, sample
from adapters.tiny_pipelines import CONCEPTS, PROMPT
from adapters.zoo.run import SCALE, run
from adapters.zoo.table import FAMILIES
from semguide import SGTv2, steer

RULE = SGTv2(
    concept_guidance_scale=2.0,
    subject_threshold=1.0,
    abstract_threshold=1.0,
    subject_percentile=0.5,
    warmup_steps=0,
)


def deviation(value: torch.Tensor, reference: torch.Tensor) -> float:
    """Return the largest difference in units of the reference's largest value."""
    return float((value - reference).abs().max() / reference.abs().max())


@pytest.mark.parametrize("name", BY_HAND)
def test_steered_output_is_that_of_a_loop_by_hand(name: str) -> None:
    family, hand = FAMILIES[name], BY_HAND[name]
    pipe: Any = family.make().to(torch.float64)
    generator = torch.Generator().manual_seed(1)
    latents = torch.randn(hand.shape, generator=generator, dtype=torch.float64)
    given = {"latents": latents.clone(), "concepts": CONCEPTS}
    steered = run(steer(pipe, RULE), family, **given)
    negative = family.arguments.get("negative_prompt", "")
    by_hand = sample(pipe, hand, Attraction(SCALE), (negative, PROMPT, CONCEPTS), latents)
    plain = run(pipe, family, latents=latents.clone())
    error, effect = deviation(steered, by_hand), deviation(steered, plain)
    print(f"{name}: {error:.1e} of {effect:.1e}")
    assert effect > 0.01
    assert error < hand.tolerance
