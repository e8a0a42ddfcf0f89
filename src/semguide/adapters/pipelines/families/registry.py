"""The pipelines that can be steered, and those that cannot and why: one table of what differs between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from semguide.adapters.pipelines.families.concat import CONCAT
from semguide.adapters.pipelines.families.cosmos import COSMOS
from semguide.adapters.pipelines.families.guider_only import GUIDED
from semguide.adapters.pipelines.families.kandinsky5 import KANDINSKY5
from semguide.adapters.pipelines.families.refused import REFUSED
from semguide.adapters.pipelines.families.sequential import SEQUENTIAL
from semguide.adapters.pipelines.families.spec import GuiderFamily, Mechanism, PipelineSpec, Refused
from semguide.adapters.pipelines.families.unet import UNET
from semguide.adapters.pipelines.families.unet_adapters import UNET_ADAPTERS
from semguide.adapters.pipelines.families.unet_video import UNET_VIDEO
from semguide.adapters.pipelines.families.video import VIDEO
from semguide.adapters.pipelines.families.video_concat import VIDEO_CONCAT
from semguide.errors import UnsupportedPipeline

FAMILIES: tuple[PipelineSpec, ...] = (
    *UNET,
    *UNET_ADAPTERS,
    *CONCAT,
    *SEQUENTIAL,
    *KANDINSKY5,
    *COSMOS,
    *UNET_VIDEO,
    *VIDEO,
    *VIDEO_CONCAT,
)
"""The spec of each family."""

ARCHITECTURES: Mapping[str, PipelineSpec] = {name: spec for spec in FAMILIES for name in spec.pipelines}
"""Class name -> its family's spec."""

REASONS: Mapping[str, str] = {name: refused.reason for refused in REFUSED for name in refused.pipelines}
"""Class name -> why it cannot be steered."""

__all__ = [
    "ARCHITECTURES",
    "FAMILIES",
    "GUIDED",
    "REASONS",
    "REFUSED",
    "GuiderFamily",
    "Mechanism",
    "PipelineSpec",
    "Refused",
    "is_distilled",
    "mechanism_of",
    "refuse",
    "spec_of",
    "tokenizers_of",
]


def spec_of(pipe: Any) -> PipelineSpec:
    """Return the spec of a pipeline, by its class or the nearest base class in the table.

    Raises:
        UnsupportedPipeline: There is none, or this checkpoint cannot be steered; the message says why.
    """
    refuse(pipe)
    name = _known(pipe)
    if name is None:
        raise UnsupportedPipeline(
            "pipe must be a diffusers pipeline of a family that semguide knows (`semguide models --families` lists "
            f"them), got {type(pipe).__name__}"
        )
    found = ARCHITECTURES[name]
    _check_limits(pipe, found)
    return found


def tokenizers_of(guided: Any) -> Mapping[str, str | int]:
    """Return the tokenizers of a pipeline that takes a guider, or of the blocks of one, as in `PromptEncodingSpec`."""
    names = [kind.__name__ for kind in type(guided).__mro__]
    return next(
        (family.tokenizers for family in GUIDED if set(names) & set(family.pipelines)), GuiderFamily("", ()).tokenizers
    )


def refuse(pipe: Any) -> None:
    """Refuse a pipeline whose class, or nearest base class in the table, is one that cannot be steered.

    Raises:
        UnsupportedPipeline: It is; the message says why.
    """
    name = _known(pipe)
    if name is not None and name in REASONS:
        raise UnsupportedPipeline(f"pipe is a {type(pipe).__name__}, which {REASONS[name]}")


def _known(pipe: Any) -> str | None:
    """Return the name of the nearest of a pipeline's classes that is in the table."""
    names = [kind.__name__ for kind in type(pipe).__mro__]
    return next((name for name in names if name in ARCHITECTURES or name in REASONS), None)


def mechanism_of(spec: PipelineSpec, pipe: Any, arguments: Mapping[str, Any], guidance_scale: float) -> Mechanism:
    """Return how a call of a pipeline is steered: its spec's mechanism, "embedded" or "conditional".

    Args:
        spec: The pipeline's spec.
        pipe: The pipeline.
        arguments: Of the call.
        guidance_scale: w where they give none.
    """
    if spec.mechanism in ("embedded", "conditional"):
        return spec.mechanism
    off = is_distilled(spec, pipe) or spec.scale.turned_off(arguments, guidance_scale)
    if spec.embedded and _takes_scale(spec, pipe) and (off or not spec.scale.given(arguments)):
        return "embedded"
    return "conditional" if off else spec.mechanism


def is_distilled(spec: PipelineSpec, pipe: Any) -> bool:
    """Say whether a pipeline never guides, as its denoiser is distilled to a few steps."""
    config = getattr(getattr(pipe, spec.denoisers[0], None), "config", {})
    return spec.mechanism == "conditional" or (bool(spec.distilled) and config.get(spec.distilled) is not None)


def _takes_scale(spec: PipelineSpec, pipe: Any) -> bool:
    """Say whether a pipeline's denoiser takes the guidance scale as an input."""
    config = getattr(getattr(pipe, spec.denoisers[0], None), "config", None)
    return bool(getattr(config, "guidance_embeds", False))


def _check_limits(pipe: Any, spec: PipelineSpec) -> None:
    if spec.mechanism == "embedded" and not _takes_scale(spec, pipe):
        raise UnsupportedPipeline(
            f"pipe has a {spec.denoisers[0]} that takes no guidance scale (guidance_embeds), and a "
            f"{type(pipe).__name__} does not guide otherwise; use a checkpoint with embedded guidance"
        )
    for limit in spec.limits:
        part = getattr(pipe, limit.component) if limit.component else pipe
        if part is not None and getattr(part.config, limit.key, None):
            raise UnsupportedPipeline(f"pipe {limit.reason}")
