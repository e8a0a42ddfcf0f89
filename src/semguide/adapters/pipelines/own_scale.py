"""A guidance scale in a pipeline's own argument, whichever that is, and what the pipeline evaluates at it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from semguide.adapters.pipelines.families.registry import ARCHITECTURES, mechanism_of, spec_of
from semguide.adapters.pipelines.families.spec import PipelineSpec, branches_of
from semguide.errors import InvalidArgument
from semguide.guidance.rule import Branches

if TYPE_CHECKING:
    from semguide.models.describe import ModelDescription

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


def branches_at(pipe: Any, guidance_scale: float) -> Branches:
    """Return what a pipeline evaluates at each step of a call with `own_scale`; arguments as there."""
    return branches_of(mechanism_of(spec_of(pipe), pipe, own_scale(pipe, guidance_scale), guidance_scale))


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


def branches(model: ModelDescription, guidance_scale: float) -> Branches:
    """Return what `branches_at` does, of a model that is not loaded.

    Args:
        model: The model.
        guidance_scale: w, or the scale that its denoiser takes as an input.
    """
    spec = ARCHITECTURES[model.pipeline_class]
    if _takes_scale(spec, model.guidance_embeds):
        return "embedded"
    off = not spec.scale.guiders and guidance_scale <= spec.scale.least
    return "conditional" if off or never_guides(model) else branches_of(spec.mechanism)


def never_guides(model: ModelDescription) -> bool:
    """Say whether a model does without guidance whatever the scale, as it was distilled to a few steps."""
    spec = ARCHITECTURES[model.pipeline_class]
    return spec.mechanism == "conditional" or (bool(spec.distilled) and model.distilled)


def check_scale(model: ModelDescription, guidance_scale: float) -> None:
    """Check that a model's pipeline can do what a scale says: guide over 1, and not at 1.

    Args:
        model: The model.
        guidance_scale: w, >= 1, or the scale that its denoiser takes as an input.

    Raises:
        InvalidArgument: It cannot.
    """
    scale = ARCHITECTURES[model.pipeline_class].scale
    if never_guides(model) or branches(model, guidance_scale) == "embedded":
        return
    if scale.guiders and guidance_scale <= 1:
        rule = f"must be > 1 for {model.name}, whose guidance cannot be turned off"
        raise InvalidArgument("guidance_scale", rule, guidance_scale, "give it more")
    if not scale.guiders and 1 < guidance_scale <= scale.least:
        rule = f"must be 1 or more than {scale.least:g} for {model.name}, whose pipeline does not guide in between"
        raise InvalidArgument("guidance_scale", rule, guidance_scale, "give it more")


def _takes_scale(spec: PipelineSpec, guidance_embeds: bool) -> bool:
    return spec.mechanism == "embedded" or (spec.embedded and guidance_embeds)
