"""A guidance rule as what makes the images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from semguide.adapters import steer
from semguide.evaluation.makers.maker import MakeOne, SampledImage, SamplingOptions
from semguide.guidance import Rule
from semguide.types import Concept


def by_rule(pipe: Any, rule: Rule[Any], sampling: SamplingOptions) -> MakeOne:
    """Steer a pipeline with a rule.

    Every image is a pipeline call of its own with its own CPU generator, so it depends on no other image.
    """
    steered = steer(pipe, rule)

    def make(prompt: str, concepts: Sequence[Concept], seed: int) -> SampledImage:
        result = steered(
            prompt,
            concepts=list(concepts),
            full_trace=sampling.full_trace,
            num_inference_steps=sampling.num_inference_steps,
            height=sampling.height,
            width=sampling.width,
            generator=torch.Generator("cpu").manual_seed(seed),
        )
        return SampledImage(result.images[0], int(result.evaluations[0]), result.trace)

    return make
