"""What tests call tiny pipelines with, and copies of these."""

from __future__ import annotations

import copy
from typing import Any

import torch

from support.tiny.stable_diffusion import quiet

STEPS = 3
PROMPT = "a red book and a yellow vase"
CONCEPTS = ["a red book", "a yellow vase"]


def fresh(pipe: Any, *, deep: bool = False) -> Any:
    """Return a pipeline of its own with the same parts; copies of them where a test changes them."""
    parts = {name: copy.deepcopy(part) if deep else part for name, part in pipe.components.items()}
    parts["scheduler"] = copy.deepcopy(pipe.scheduler)
    extra = {"requires_safety_checker": False} if "safety_checker" in pipe.components else {}
    return quiet(type(pipe)(**parts, **extra))


def noise(seed: int = 0) -> torch.Generator:
    """Return a generator."""
    return torch.Generator().manual_seed(seed)


def call(pipe: Any, prompt: Any = PROMPT, **arguments: Any) -> torch.Tensor:
    """Return the latents that a pipeline, steered or not, makes in a few steps."""
    given = {"num_inference_steps": STEPS, "generator": noise(), "output_type": "latent", **arguments}
    return pipe(prompt, **given).images
