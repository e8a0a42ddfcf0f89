"""A guidance scale in a pipeline's own argument, whichever that is."""

from __future__ import annotations

from typing import Any

from semguide.adapters.pipelines.families.registry import ARCHITECTURES, mechanism_of, spec_of
from semguide.adapters.pipelines.families.spec import PipelineSpec, branches_of
from semguide.guidance.rule import Branches

EMBEDDED = "guidance_scale"
"""The argument of pipelines whose denoiser takes the scale as an input."""


def own_scale(pipe: Any, guidance_scale: float) -> dict[str, float]:
    """Return the argument of a pipeline's call that sets its scale.

    Args:
        pipe: A pipeline that can be steered.
        guidance_scale: w of u + w (c - u), or the scale that the denoiser takes as an input.
    """
    spec = spec_of(pipe)
    if mechanism_of(spec, pipe, {}, guidance_scale) == "embedded":
        return {EMBEDDED: guidance_scale}
    return {spec.scale.arguments[0]: guidance_scale - spec.scale.shift}


def scale_argument(pipeline_class: str, guidance_embeds: bool) -> tuple[str, float]:
    """Return the argument of a class in the table that is its scale, and what is added to it to make w.

    Args:
        pipeline_class: The class.
        guidance_embeds: Whether its denoiser takes the scale as an input.
    """
    spec = ARCHITECTURES[pipeline_class]
    if _takes_scale(spec, guidance_embeds):
        return EMBEDDED, 0.0
    return spec.scale.arguments[0], spec.scale.shift


def branches(pipeline_class: str, guidance_embeds: bool, guidance_scale: float) -> Branches:
    """Return what a class in the table evaluates at each step.

    Args:
        pipeline_class: The class.
        guidance_embeds: Whether its denoiser takes the scale as an input.
        guidance_scale: w, or that scale.
    """
    spec = ARCHITECTURES[pipeline_class]
    if _takes_scale(spec, guidance_embeds):
        return "embedded"
    return "conditional" if guidance_scale <= 1 and not spec.scale.guiders else branches_of(spec.mechanism)


def _takes_scale(spec: PipelineSpec, guidance_embeds: bool) -> bool:
    return spec.mechanism == "embedded" or (spec.embedded and guidance_embeds)
