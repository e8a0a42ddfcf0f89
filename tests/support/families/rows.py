"""The rows of the tests, and the rules that they use."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
import torch
from torch import Tensor

from semguide import SGT, SGTv2, steer
from support.families.run import ROWS, SCALE, run
from support.families.table import FAMILIES, Family
from support.tiny.calls import CONCEPTS, PROMPT, noise

ACTIVE = SGT(guidance_scale=SCALE, stop=1.0)
INERT = SGTv2(SCALE, concept_guidance_scale=0.0, subject_threshold=1.0, abstract_threshold=1.0, warmup_steps=0)
OTHER = "a cat"


def marked(names: Iterable[str]) -> list[Any]:
    """Return rows as parameters: those of a family fast, its variants slow."""
    return [name if name in FAMILIES else pytest.param(name, marks=pytest.mark.slow) for name in names]


every_row = pytest.mark.parametrize("name", marked(ROWS))


def batch(family: Family, **changes: Any) -> dict[str, Any]:
    """Return what changes in a call with two prompts: a generator, a negative prompt and an image for each."""
    given = family.arguments
    negative = {"negative_prompt": [given["negative_prompt"]] * 2} if "negative_prompt" in given else {}
    images = {name: torch.cat([value] * 2) for name, value in given.items() if isinstance(value, Tensor)}
    return {"generator": [noise(0), noise(1)], **negative, **images, **changes}


def steered(pipe: Any, family: Family, rule: Any = ACTIVE, **changes: Any) -> Tensor:
    """Return the latents of a steered run with the concepts of the prompt."""
    return run(steer(pipe, rule), family, **{"prompt": PROMPT, "concepts": CONCEPTS, **changes})


def denoisers_of(pipe: Any) -> list[Any]:
    """Return a pipeline's denoisers."""
    names = ("unet", "transformer", "transformer_2")
    return [pipe.components[name] for name in names if pipe.components.get(name) is not None]
