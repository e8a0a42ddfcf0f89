"""Tiny pipelines by their class in diffusers, or by that of their blocks where they are modular."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from support.tiny.images import IMAGES
from support.tiny.stable_diffusion import quiet
from support.tiny.videos import VIDEOS, image_tokens

COMPONENTS = {**IMAGES, **VIDEOS}
"""What makes the components of each."""

ATTRIBUTES: Mapping[str, Mapping[str, Any]] = {
    "HiDreamImagePipeline": {"default_sample_size": 8},  # every image is scaled to its area
    "HunyuanImagePipeline": {"tokenizer_max_length": 64},  # every prompt is padded to it
    "MotifVideoImage2VideoPipeline": {"_get_image_embeds": image_tokens},
}
"""What is set when a pipeline is made."""


def tiny(name: str, of: str = "", **more: Any) -> Any:
    """Build a pipeline.

    Args:
        name: Its class in diffusers.
        of: The class whose components it has; empty: its own.
        more: Its further or other components; a function makes them from those.
    """
    import diffusers

    parts = dict(COMPONENTS[of or name]())
    for key, part in more.items():
        parts[key] = part(parts) if callable(part) else part
    kind = getattr(diffusers, name)
    without_ftfy(sys.modules[kind.__module__])
    given = {"requires_safety_checker": False, "add_watermarker": False, **parts}
    accepted = inspect.signature(kind.__init__).parameters
    pipe = quiet(kind(**{key: part for key, part in given.items() if key in accepted}))
    for attribute, value in ATTRIBUTES.get(name, {}).items():
        setattr(pipe, attribute, value)
    return pipe


def tiny_blocks(name: str) -> Any:
    """Return the blocks of a modular pipeline, which run without ftfy."""
    import diffusers

    kind = getattr(diffusers, name)
    folder = kind.__module__.rpartition(".")[0]
    without_ftfy(importlib.import_module(f"{folder}.encoders"))
    return kind()


def without_ftfy(module: Any) -> None:
    """Let a module that calls ftfy also where it is not installed call nothing."""
    if not hasattr(module, "ftfy"):
        module.ftfy = SimpleNamespace(fix_text=str)
