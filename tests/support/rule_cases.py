"""Small predictions, and the rules with their gates open, for the tests of guidance."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
from torch import Tensor

from semguide.guidance import (
    APG,
    CFG,
    SEGA,
    SGT,
    CFGZeroStar,
    CO3Composition,
    Composable,
    PerpNeg,
    Predictions,
    Rule,
    SGTv1,
    SGTv2,
    Step,
)

ACTIVE: list[Rule[Any]] = [
    SGT(stop=1.0),
    SGTv1(subject_threshold=1.0, abstract_threshold=1.0, upper_bound=1.0),
    SGTv2(subject_threshold=1.0, abstract_threshold=1.0, warmup_steps=0, subject_percentile=0.5),
    Composable(),
    SEGA(warmup_steps=0),
    PerpNeg(),
    CO3Composition(stop=1.0),
    APG(threshold=0.0),
    CFGZeroStar(zero_init_steps=0),
]
INERT: list[Rule[Any]] = [
    CFG(),
    SGT(strength=0.0, stop=1.0),
    SGTv1(concept_guidance_scale=0.0, subject_threshold=1.0, abstract_threshold=1.0, upper_bound=1.0),
    SGTv2(concept_guidance_scale=0.0, subject_threshold=1.0, abstract_threshold=1.0, warmup_steps=0),
    Composable(concept_weight=0.0, prompt_weight=1.0),
    SEGA(concept_guidance_scale=0.0, warmup_steps=0),
    PerpNeg(negative_weight=0.0),
    CO3Composition(contrast=0.0, stop=1.0),
    APG(threshold=0.0, parallel=1.0, momentum=0.0),
]


def name_of(rule: Rule[Any]) -> str:
    """Return a test id."""
    return rule.name


def random_predictions(seed: int, concepts: int = 2, dims: tuple[int, ...] = (4, 6, 5)) -> Predictions:
    """Return predictions in float64."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn((concepts + 2, *dims), generator=generator, dtype=torch.float64)
    return Predictions(x[0], x[1], x[2:])


def map_predictions(predictions: Predictions, function: Any) -> Predictions:
    """Apply a function to each tensor."""
    names = [field.name for field in dataclasses.fields(predictions)]
    return Predictions(**{name: function(getattr(predictions, name)) for name in names})


def hand_predictions(prompt: list[float], *subjects: list[float]) -> Predictions:
    """Return predictions of one channel and one row whose guidances are the given numbers (uncond is 1 everywhere)."""
    uncond = torch.ones(1, 1, len(prompt), dtype=torch.float64)
    guidances = torch.tensor([prompt, *subjects], dtype=torch.float64).reshape(-1, 1, 1, len(prompt))
    return Predictions(uncond, uncond + guidances[0], uncond + guidances[1:])


def deltas(rule: Rule[Any], sequence: list[Predictions], scales: list[float] | None = None) -> list[Tensor]:
    """Return the corrections of a trajectory."""
    state, found = rule.initial_state(len(sequence[0].concepts)), []
    for index, predictions in enumerate(sequence):
        step = Step(index, len(sequence), rule.guidance_scale, 1.0 if scales is None else scales[index])
        correction, state = rule.correct(predictions, step, state)
        found.append(correction.delta)
    return found
