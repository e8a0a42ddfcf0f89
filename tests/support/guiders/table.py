"""The modular pipelines that take a guider, tiny."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from diffusers import ClassifierFreeGuidance

from support.guiders import models, models_ltx2, models_qwen3, models_video, models_wan
from support.tiny_pipelines import tiny_sdxl
from support.zoo import decoders, flow
from support.zoo.variants import picture, video

STEPS = 3


@dataclass(frozen=True)
class Row:
    """A modular pipeline.

    Attributes:
        blocks: The class of its blocks in diffusers.
        make: Builds its models, by component name.
        arguments: What its calls need at the smallest size.
        config: Its configuration where it is not the default.
        steps: How its calls ask for a few steps.
        without: Blocks that are left out.
        output: Where its state holds the latents.
        predicts: What reaches the guider: eps, flow or x0 of a flow model.
        anchored: Whether its own guider computes c + w (c - u).
        batched: Whether predictions have a batch dimension.
        plain: Diffusers' own guider.
        double: Whether its models work in float64.
        single: Whether it takes one prompt a call.
        negative: Whether it takes a negative prompt.
        slow: Whether its tests take more than a second or two.
    """

    blocks: str
    make: Callable[[], Mapping[str, Any]]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    steps: Mapping[str, Any] = field(default_factory=lambda: {"num_inference_steps": STEPS})
    without: tuple[str, ...] = ()
    output: str = "latents"
    predicts: str = "flow"
    anchored: bool = False
    batched: bool = True
    plain: type[ClassifierFreeGuidance] = ClassifierFreeGuidance
    double: bool = True
    single: bool = False
    negative: bool = True
    slow: bool = False


def _of(make: Callable[[], Any]) -> Callable[[], Mapping[str, Any]]:
    """Return a maker of the components of an ordinary pipeline."""
    return lambda: make().components


_VIDEO = {"height": 16, "width": 16, "num_frames": 5, "max_sequence_length": 48}
_SMALL = {"height": 16, "width": 16}
_IMAGE = {"image": picture(16)}

_CHUNKS = {
    "height": 16,
    "width": 16,
    "num_latent_frames_per_chunk": 2,
    "num_frames": 9,
    "history_sizes": [4, 2, 1],
    "max_sequence_length": 48,
}

ROWS: Mapping[str, Row] = {
    "sdxl": Row("StableDiffusionXLAutoBlocks", _of(tiny_sdxl), {"height": 32, "width": 32}, predicts="eps", slow=True),
    "sd3": Row("StableDiffusion3AutoBlocks", _of(flow.sd3), {"height": 8, "width": 8, "max_sequence_length": 48}),
    "qwen-image": Row("QwenImageAutoBlocks", _of(flow.qwen_image), {"height": 32, "width": 32}),
    "z-image": Row(
        "ZImageAutoBlocks", _of(decoders.z_image), {"height": 16, "width": 16, "max_sequence_length": 64}, slow=True
    ),
    "wan": Row("WanBlocks", models_wan.wan, _VIDEO, slow=True),
    "wan-2.2": Row("Wan22Blocks", models_wan.wan_2_2, _VIDEO, {"boundary_ratio": 0.8}, slow=True),
    "wan-2.1-image-to-video": Row(
        "WanImage2VideoAutoBlocks", models_wan.wan_image, {**_VIDEO, **_IMAGE}, single=True, slow=True
    ),
    "wan-2.2-image-to-video": Row(
        "Wan22Image2VideoBlocks",
        models_wan.wan_2_2_image,
        {**_VIDEO, **_IMAGE},
        {"boundary_ratio": 0.8},
        slow=True,
    ),
    "wan-2.2-vace": Row(
        "Wan22VaceBlocks", models_wan.wan_vace, _VIDEO, {"boundary_ratio": 0.8}, single=True, slow=True
    ),
    "flux2-klein": Row(
        "Flux2KleinBaseAutoBlocks",
        models.flux2_klein,
        {"height": 16, "width": 16, "max_sequence_length": 48, "text_encoder_out_layers": (0, 1, 2)},
        negative=False,
        slow=True,
    ),
    "ernie": Row("ErnieImageAutoBlocks", models.ernie, {"height": 16, "width": 16}, slow=True),
    "ltx": Row("LTXAutoBlocks", models.ltx, _VIDEO, slow=True),
    "anima": Row("AnimaAutoBlocks", models_qwen3.anima, {**_SMALL, "max_sequence_length": 64}, slow=True),
    "krea-2": Row(
        "Krea2AutoBlocks", models_qwen3.krea2, {**_SMALL, "max_sequence_length": 64}, anchored=True, slow=True
    ),
    "flux3": Row(
        "Flux3AutoBlocks",
        models_qwen3.flux3,
        {**_SMALL, "text_encoder_out_layers": (1, 2)},
        without=("prompt_upsampler",),
        single=True,
        slow=True,
    ),
    "qwen-image-2.1": Row("QwenImage21AutoBlocks", models_qwen3.qwen_image_2_1, {"height": 32, "width": 32}, slow=True),
    "helios": Row("HeliosAutoBlocks", models_video.helios, _CHUNKS, output="latent_chunks", slow=True),
    "helios-pyramid": Row(
        "HeliosPyramidAutoBlocks",
        partial(models_video.helios, 3),
        {**_CHUNKS, "height": 64, "width": 64},
        steps={"pyramid_num_inference_steps_list": [STEPS] * 3},
        output="latent_chunks",
        slow=True,
    ),
    "hunyuan-video-1.5": Row(
        "HunyuanVideo15AutoBlocks",
        models_video.hunyuan_video,
        {"height": 16, "width": 16, "num_frames": 5},
        without=("decode",),
        slow=True,
    ),
    "wan-animate-2": Row(
        "WanAnimate2Blocks",
        models_video.wan_animate_2,
        {**_SMALL, **_IMAGE, "driving_video": video(9, 16), "segment_frame_length": 5, "max_sequence_length": 48},
        output="segment_frames",
        batched=False,
        single=True,
        slow=True,
    ),
    **{
        name: Row(
            blocks,
            models_ltx2.ltx2,
            {"height": 64, "width": 64, "num_frames": 9, "max_sequence_length": 48},
            without=("decode",),
            predicts="x0",
            plain=models_ltx2.PlainGuidance,
            double=False,
            slow=True,
        )
        for name, blocks in {"ltx-2": "LTX2AutoBlocks", "ltx-2.5": "LTX25AutoBlocks"}.items()
    },
}
