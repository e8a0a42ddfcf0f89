"""Runs a tiny modular pipeline under a guider, and records what goes through the guider."""

from __future__ import annotations

import copy
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import diffusers
import pytest
import torch

from support.guiders.table import ROWS
from support.tiny.calls import noise
from support.tiny.pipelines import tiny_blocks

SCALE = 4.0


@functools.cache
def made(name: str) -> Any:
    """Return the tiny pipeline of a row, with diffusers' own guider; a test that changes it makes its own."""
    return assembled(name, parts(name))


def parts(name: str) -> Mapping[str, Any]:
    """Return new components of a row; the test is skipped where the installed diffusers lacks its pipeline."""
    row = ROWS[name]
    if not hasattr(diffusers, row.blocks):
        pytest.skip(f"no {row.blocks} in diffusers {diffusers.__version__}")
    return row.make()


def assembled(name: str, parts: Mapping[str, Any]) -> Any:
    """Return the pipeline of a row with the components that it has a place for, and diffusers' own guider."""
    row = ROWS[name]
    blocks = tiny_blocks(row.blocks)
    for block in row.without:
        blocks.sub_blocks.pop(block)
    pipe = blocks.init_pipeline()
    pipe.register_components(**{part: module for part, module in parts.items() if part in pipe.component_names})
    pipe.update_components(**row.config)
    for part in guiders_of(pipe):
        setattr(pipe, part, plain_guider(name))
    return pipe


def doubled(name: str) -> Any:
    """Return a copy of the tiny pipeline in float64, where its models work in it."""
    pipe = copy.copy(made(name))
    if not ROWS[name].double:
        return pipe
    for part, module in made(name).components.items():
        if isinstance(module, torch.nn.Module):
            setattr(pipe, part, copy.deepcopy(module).double())
    return pipe


def guiders_of(pipe: Any) -> list[str]:
    """Return the names of the guiders that `SemanticGuidance` takes the place of."""
    return [part for part in ("guider", "guider_2") if part in pipe.component_names]


def plain_guider(name: str) -> Any:
    """Return diffusers' own guider of a row."""
    return ROWS[name].plain(guidance_scale=SCALE, use_original_formulation=ROWS[name].anchored)


def call(name: str, pipe: Any, prompt: Any, **changes: Any) -> torch.Tensor:
    """Return the latents that a pipeline makes in a few steps."""
    row = ROWS[name]
    given = {**row.steps, "generator": noise(), "output": row.output, **row.arguments}
    asked = {**given, **changes, "prompt": prompt}
    # Copies of lists: Z-Image puts its chat template into the caller's own.
    found = pipe(**{key: list(value) if isinstance(value, list) else value for key, value in asked.items()})
    return torch.cat(found, dim=2) if isinstance(found, list) else found


@dataclass(frozen=True)
class Seen:
    """One call of a guider.

    Attributes:
        step: 0-based step.
        count: Number of steps.
        sigma: The noise level of a flow model, as its scheduler steps from it; else 0.
        given: The predictions by name.
        output: What the guider returned.
    """

    step: int
    count: int
    sigma: float
    given: dict[str, torch.Tensor]
    output: Any


Record = dict[str, list[Seen]]
"""The calls of each guider, by its name."""


def recorded(pipe: Any, script: Record | None = None) -> tuple[Any, Record]:
    """Return a pipeline with copies of its guiders that write a record.

    With the record of another run they return what was returned there, so that the run goes along the same latents.
    """
    pipe, record = copy.copy(pipe), Record()
    for part in [name for name in pipe.component_names if "guider" in name]:
        record[part] = []
        own = script[part] if script else None
        guider = recorded_guider(copy.copy(getattr(pipe, part)), record[part], own, pipe.scheduler)
        setattr(pipe, part, guider)
    return pipe, record


def recorded_guider(guider: Any, seen: list[Seen], script: list[Seen] | None, scheduler: Any = None) -> Any:
    """Let a guider write a record, and return what was returned in another one."""
    original = guider.forward

    def forward(**given: torch.Tensor) -> Any:
        place = (guider._step, guider._num_inference_steps, _sigma(scheduler, guider._step))
        output = original(**given) if script is None else script[len(seen)].output
        seen.append(Seen(*place, given, output))
        return output

    guider.forward = forward
    return guider


def _sigma(scheduler: Any, step: int) -> float:
    """Return the noise level of a step; the sigmas of a pyramid run from 1 to 0 in each of its stages."""
    if getattr(getattr(scheduler, "config", None), "stages", 1) > 1:
        return float(scheduler.timesteps[step]) / 1000
    return float(scheduler.sigmas[step]) if hasattr(scheduler, "sigmas") else 0.0
