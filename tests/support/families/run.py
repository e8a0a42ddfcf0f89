"""Makes each tiny pipeline once, and runs it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import torch

from support.families.added import ADDED
from support.families.table import FAMILIES, MORE, VARIANTS, Family
from support.tiny.calls import PROMPT, noise

ROWS: Mapping[str, Family] = {**FAMILIES, **MORE, **VARIANTS, **ADDED}
STEPS = 3
SCALE = 4.0


@functools.cache
def made(name: str) -> Any:
    """Return the tiny pipeline of a family, the same one each time; a test that changes it makes its own."""
    return ROWS[name].make()


def arguments_of(family: Family, **changes: Any) -> dict[str, Any]:
    """Return the arguments of a short call that ends with latents."""
    given = {"num_inference_steps": STEPS, "generator": noise(), "output_type": "latent"}
    scale = {family.scale: SCALE} if family.scale else {}
    return {**given, **family.arguments, **scale, **changes}


def run(pipe: Any, family: Family, prompt: Any = PROMPT, **changes: Any) -> torch.Tensor:
    """Return the latents that a pipeline, steered or not, makes in a few steps.

    Some pipelines encode images with PyTorch's own generator, which is seeded here.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        result = pipe(prompt=prompt, **arguments_of(family, **changes))
    return getattr(getattr(result, "output", result), family.output)
