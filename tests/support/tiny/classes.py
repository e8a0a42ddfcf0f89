"""Pipelines of other classes made of a tiny pipeline's components."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from support.tiny.pipelines import tiny
from support.tiny.stable_diffusion import quiet


def sd() -> Any:
    """Build a StableDiffusionPipeline."""
    return tiny("StableDiffusionPipeline")


def sdxl() -> Any:
    """Build a StableDiffusionXLPipeline."""
    return tiny("StableDiffusionXLPipeline")


def as_class(base: Callable[[], Any], name: str, **more: Any) -> Callable[[], Any]:
    """Return what builds the pipeline class of this name from a tiny pipeline's parts and more parts.

    Args:
        base: Builds the tiny pipeline.
        name: A class of diffusers.
        more: Its further parts; a function makes the part from the tiny pipeline.
    """

    def make() -> Any:
        import diffusers

        pipe, kind = base(), getattr(diffusers, name)
        parts = {**pipe.components, **{key: part(pipe) if callable(part) else part for key, part in more.items()}}
        accepted = inspect.signature(kind.__init__).parameters
        parts |= {"requires_safety_checker": False, "add_watermarker": False}
        return quiet(kind(**{key: part for key, part in parts.items() if key in accepted}))

    return make
