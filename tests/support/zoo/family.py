"""What the tests know of a family: how to make it tiny, and how to call it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Family:
    """A tiny pipeline of a family.

    Attributes:
        make: Builds it.
        arguments: What its calls need at the smallest size.
        scale: The argument that is the scale of its classifier-free guidance; empty where there is none.
        off: The scale at which there is none.
        shift: What is added to the scale to make w.
        denoiser: The attribute that holds its denoiser.
        output: The field of its output that holds images or videos.
    """

    make: Callable[[], Any]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    scale: str = "guidance_scale"
    off: float = 1.0
    shift: float = 0.0
    denoiser: str = "transformer"
    output: str = "images"
