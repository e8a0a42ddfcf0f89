"""The modular pipelines that take a guider, tiny."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from diffusers import ClassifierFreeGuidance

from support.guiders.plain import PlainGuidance
from support.tiny.inputs import picture, video
from support.tiny.pipelines import COMPONENTS

STEPS = 3


@dataclass(frozen=True)
class Row:
    """A modular pipeline.

    Attributes:
        blocks: The class of its blocks in diffusers.
        arguments: What its calls need at the smallest size.
        of: The pipeline whose components it has; empty: those of its own blocks.
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
    arguments: Mapping[str, Any] = field(default_factory=dict)
    of: str = ""
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

    def make(self) -> Mapping[str, Any]:
        """Build its components."""
        return COMPONENTS[self.of or self.blocks]()


_VIDEO = {"height": 16, "width": 16, "num_frames": 5, "max_sequence_length": 48}
_SMALL = {"height": 16, "width": 16}
_IMAGE = {"image": picture(16)}
_SD3 = {"height": 8, "width": 8, "max_sequence_length": 48}
_TWO = {"boundary_ratio": 0.8}

_CHUNKS = {
    "height": 16,
    "width": 16,
    "num_latent_frames_per_chunk": 2,
    "num_frames": 9,
    "history_sizes": [4, 2, 1],
    "max_sequence_length": 48,
}

ROWS: Mapping[str, Row] = {
    "sdxl": Row("StableDiffusionXLAutoBlocks", {"height": 32, "width": 32}, predicts="eps", slow=True),
    "sd3": Row("StableDiffusion3AutoBlocks", _SD3, "StableDiffusion3Pipeline"),
    "qwen-image": Row("QwenImageAutoBlocks", {"height": 32, "width": 32}, "QwenImagePipeline"),
    "z-image": Row("ZImageAutoBlocks", {**_SMALL, "max_sequence_length": 64}, "ZImagePipeline", slow=True),
    "wan": Row("WanBlocks", _VIDEO, "WanPipeline", slow=True),
    "wan-2.2": Row("Wan22Blocks", _VIDEO, config=_TWO, slow=True),
    "wan-2.1-image-to-video": Row("WanImage2VideoAutoBlocks", {**_VIDEO, **_IMAGE}, single=True, slow=True),
    "wan-2.2-image-to-video": Row(
        "Wan22Image2VideoBlocks",
        {**_VIDEO, **_IMAGE},
        config=_TWO,
        slow=True,
    ),
    "wan-2.2-vace": Row("Wan22VaceBlocks", _VIDEO, config=_TWO, single=True, slow=True),
    "flux2-klein": Row(
        "Flux2KleinBaseAutoBlocks",
        {"height": 16, "width": 16, "max_sequence_length": 48, "text_encoder_out_layers": (0, 1, 2)},
        negative=False,
        slow=True,
    ),
    "ernie": Row("ErnieImageAutoBlocks", {"height": 16, "width": 16}, slow=True),
    "ltx": Row("LTXAutoBlocks", _VIDEO, slow=True),
    "anima": Row("AnimaAutoBlocks", {**_SMALL, "max_sequence_length": 64}, slow=True),
    "krea-2": Row("Krea2AutoBlocks", {**_SMALL, "max_sequence_length": 64}, anchored=True, slow=True),
    "flux3": Row(
        "Flux3AutoBlocks",
        {**_SMALL, "text_encoder_out_layers": (1, 2)},
        without=("prompt_upsampler",),
        single=True,
        slow=True,
    ),
    "qwen-image-2.1": Row("QwenImage21AutoBlocks", {"height": 32, "width": 32}, slow=True),
    "helios": Row("HeliosAutoBlocks", _CHUNKS, output="latent_chunks", slow=True),
    "helios-pyramid": Row(
        "HeliosPyramidAutoBlocks",
        {**_CHUNKS, "height": 64, "width": 64},
        steps={"pyramid_num_inference_steps_list": [STEPS] * 3},
        output="latent_chunks",
        slow=True,
    ),
    "hunyuan-video-1.5": Row(
        "HunyuanVideo15AutoBlocks",
        {"height": 16, "width": 16, "num_frames": 5},
        without=("decode",),
        slow=True,
    ),
    "wan-animate-2": Row(
        "WanAnimate2Blocks",
        {**_SMALL, **_IMAGE, "driving_video": video(9, 16), "segment_frame_length": 5, "max_sequence_length": 48},
        output="segment_frames",
        batched=False,
        single=True,
        slow=True,
    ),
    **{
        name: Row(
            blocks,
            {"height": 64, "width": 64, "num_frames": 9, "max_sequence_length": 48},
            "LTX2AutoBlocks",
            without=("decode",),
            predicts="x0",
            plain=PlainGuidance,
            double=False,
            slow=True,
        )
        for name, blocks in {"ltx-2": "LTX2AutoBlocks", "ltx-2.5": "LTX25AutoBlocks"}.items()
    },
}
