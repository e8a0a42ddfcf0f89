"""Steered pipelines do what a loop written by hand does."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from semguide import SGTv2, steer
from support.families.by_hand import Attraction, sample
from support.families.rows import marked
from support.families.rows_by_hand import BY_HAND
from support.families.run import ROWS, SCALE, run
from support.tiny.calls import CONCEPTS, PROMPT

RULE = SGTv2(
    SCALE,
    concept_guidance_scale=2.0,
    subject_threshold=1.0,
    abstract_threshold=1.0,
    subject_percentile=0.5,
    warmup_steps=0,
)


@pytest.mark.parametrize("name", marked(BY_HAND))
def test_steered_output_is_that_of_a_loop_by_hand(name: str) -> None:
    family, hand = ROWS[name], BY_HAND[name]
    pipe: Any = family.make().to(torch.float64)
    latents = torch.randn(hand.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    steered = run(steer(pipe, RULE), family, latents=latents.clone(), concepts=CONCEPTS)
    texts = (family.arguments.get("negative_prompt", ""), PROMPT, CONCEPTS)
    by_hand = sample(pipe, hand, Attraction(hand.w or SCALE), texts, latents)
    effect = (steered - run(pipe, family, latents=latents.clone())).abs().max()
    assert effect > 1e-3 * steered.abs().max()
    assert (steered - by_hand).abs().max() < hand.tolerance * effect
