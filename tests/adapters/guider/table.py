"""The modular pipelines that take a guider, tiny."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from adapters.guider import models
from adapters.tiny_pipelines import tiny_sdxl
from adapters.zoo import decoders, flow


@dataclass(frozen=True)
class Row:
    """A modular pipeline.

    Attributes:
        blocks: The class of its blocks in diffusers.
        make: Builds its models, by component name.
        arguments: What its calls need at the smallest size.
        config: Its configuration where it is not the default.
        output: Where its state holds the latents.
        predicts: What reaches the guider: eps, flow or x0 of a flow model.
        anchored: Whether its own guider computes c + w (c - u).
        batched: Whether predictions have a batch dimension.
        own_guider: Makes diffusers' guider where it is another one than `ClassifierFreeGuidance`.
        single: Whether it takes one prompt a call.
        negative: Whether it takes a negative prompt.
        slow: Whether its tests take more than a second or two.
    """

    blocks: str
    make: Callable[[], Mapping[str, Any]]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    output: str = "latents"
    predicts: str = "flow"
    anchored: bool = False
    batched: bool = True
    own_guider: Callable[[], Any] | None = None
    single: bool = False
    negative: bool = True
    slow: bool = False


def _wan() -> Mapping[str, Any]:
    """Return Wan's components; its blocks call ftfy also where it is not installed."""
    from diffusers.modular_pipelines.wan import encoders

    if not hasattr(encoders, "ftfy"):
        encoders.ftfy = SimpleNamespace(fix_text=str)  # type: ignore[attr-defined]
    return flow.wan().components


def _of(make: Callable[[], Any]) -> Callable[[], Mapping[str, Any]]:
    """Return a maker of the components of an ordinary pipeline."""
    return lambda: make().components


ROWS: Mapping[str, Row] = {
    "sdxl": Row("StableDiffusionXLAutoBlocks", _of(tiny_sdxl), {"height": 32, "width": 32}, predicts="eps", slow=True),
    "sd3": Row("StableDiffusion3AutoBlocks", _of(flow.sd3), {"height": 8, "width": 8, "max_sequence_length": 48}),
    "qwen-image": Row("QwenImageAutoBlocks", _of(flow.qwen_image), {"height": 32, "width": 32}),
    "z-image": Row(
        "ZImageAutoBlocks", _of(decoders.z_image), {"height": 16, "width": 16, "max_sequence_length": 64}, slow=True
    ),
    "wan": Row("WanBlocks", _wan, {"height": 16, "width": 16, "num_frames": 5, "max_sequence_length": 48}, slow=True),
    "flux2-klein": Row(
        "Flux2KleinBaseAutoBlocks",
        models.flux2_klein,
        {"height": 16, "width": 16, "max_sequence_length": 48, "text_encoder_out_layers": (0, 1, 2)},
        negative=False,
        slow=True,
    ),
    "ernie": Row("ErnieImageAutoBlocks", models.ernie, {"height": 16, "width": 16}, slow=True),
    "ltx": Row(
        "LTXAutoBlocks", models.ltx, {"height": 16, "width": 16, "num_frames": 5, "max_sequence_length": 48}, slow=True
    ),
}
