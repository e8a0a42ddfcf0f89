"""Further families and variants, tiny."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch

from support.families.table import Family
from support.tiny import adapters, films, motion, transformers
from support.tiny.classes import as_class, sd, sdxl
from support.tiny.controls import control_of_unet
from support.tiny.denoisers import another
from support.tiny.inputs import film, image, picture, video
from support.tiny.pipelines import tiny
from support.tiny.videos import TEMPLATE

_EMBEDDING = torch.randn(1, 16, generator=torch.Generator().manual_seed(9))
_AGAIN: dict[str, Any] = {"image": image(64), "strength": 0.9, "num_inference_steps": 4}


def _control(pipe: Any) -> Any:
    return control_of_unet(pipe.components)


def _unet(make: Any, output: str = "images", *, single: bool = False, **arguments: Any) -> Family:
    return Family("", arguments, build=make, denoiser="unet", output=output, single=single)


def _film(name: str, base: Any = sd, parts: Mapping[str, Any] = {}, **arguments: Any) -> Family:
    return _unet(partial(motion.animated, name, base, **parts), "frames", **{"num_frames": 2, **arguments})


_SMALL: dict[str, Any] = {"height": 16, "width": 16, "max_sequence_length": 48}
_LARGE: dict[str, Any] = {"height": 32, "width": 32, "max_sequence_length": 64}
_EASY: dict[str, Any] = {"height": 16, "width": 16, "num_frames": 5, "negative_prompt": ""}
_KANDINSKY: dict[str, Any] = {**_LARGE, "num_frames": 5, "negative_prompt": ""}
_SANA_VIDEO: dict[str, Any] = {**_LARGE, "frames": 5, "use_resolution_binning": False}


def _flow(make: Any, output: str = "images", *, double: bool = True, single: bool = False, **arguments: Any) -> Family:
    return Family("", arguments, build=make, output=output, double=double, single=single)


NEW: Mapping[str, Family] = {
    "bria": _flow(transformers.bria, **_SMALL),
    "longcat-image": _flow(transformers.longcat, height=16, width=16, enable_prompt_rewrite=False),
    "kandinsky5": _flow(transformers.kandinsky5, "image", double=False, **_SMALL),
    "cosmos2": Family("", build=transformers.cosmos, arguments=_SMALL, off=1.0, shift=1.0),
    "cosmos1": Family(
        "",
        build=transformers.cosmos_video,
        arguments={**_LARGE, "num_frames": 5},
        shift=1.0,
        output="frames",
        double=False,
    ),
    "cosmos2.5": Family(
        "", build=transformers.cosmos_2_5, arguments={**_SMALL, "num_frames": 5}, shift=1.0, output="frames"
    ),
    "kandinsky5-video": _flow(films.kandinsky5_video, "frames", double=False, **_KANDINSKY),
    "latte": _flow(films.latte, "frames", height=16, width=16, video_length=2, clean_caption=False),
    "easyanimate": _flow(films.easy_animate, "frames", **_EASY),
    "sana-video": _flow(films.sana_video, "frames", **_SANA_VIDEO),
}
"""A row per family."""

ADDED: Mapping[str, Family] = {
    **NEW,
    "sana-controlnet": _flow(
        transformers.sana_control, **_LARGE, use_resolution_binning=False, control_image=image(32, 7)
    ),
    "sana-video-image": _flow(
        partial(films.sana_video, "SanaImageToVideoPipeline"), "frames", **_SANA_VIDEO, image=picture(32)
    ),
    "kandinsky5-video-image": _flow(
        partial(films.kandinsky5_video, "Kandinsky5I2VPipeline"),
        "frames",
        double=False,
        **{**_KANDINSKY, "num_frames": 21},
        image=picture(32),
    ),
    "easyanimate-inpaint": _flow(
        partial(films.easy_animate, "EasyAnimateInpaintPipeline", 12),
        "frames",
        single=True,
        **_EASY,
        video=film(5, 16).transpose(1, 2),
        mask_video=(film(5, 16).transpose(1, 2)[:, :1] > 0.5).float(),
    ),
    "hunyuan-skyreels": Family(
        "",
        build=films.skyreels_v1,
        arguments={**_SMALL, "num_frames": 5, "prompt_template": TEMPLATE, "negative_prompt": "", "image": image(16)},
        scale="true_cfg_scale",
        output="frames",
    ),
    "cogvideox-control": _flow(
        partial(
            tiny,
            "CogVideoXFunControlPipeline",
            "CogVideoXPipeline",
            transformer=another("CogVideoXTransformer3DModel", 700, in_channels=8),
        ),
        "frames",
        single=True,
        **_SMALL,
        control_video=video(9, 16),
    ),
    "sd-adapter": _unet(
        as_class(sd, "StableDiffusionAdapterPipeline", adapter=adapters.adapter_of), image=image(64, 7)
    ),
    "sdxl-adapter": _unet(
        as_class(sdxl, "StableDiffusionXLAdapterPipeline", adapter=adapters.adapter_of), image=image(64, 7)
    ),
    "sd-controlnet-xs": _unet(
        adapters.controlled("StableDiffusionControlNetXSPipeline", sd),
        image=image(64, 7),
    ),
    "sdxl-controlnet-xs": _unet(
        adapters.controlled("StableDiffusionXLControlNetXSPipeline", sdxl),
        image=image(64, 7),
    ),
    "sd-depth": _unet(
        adapters.with_unet("StableDiffusionDepth2ImgPipeline", in_channels=5, depth_estimator=adapters.nothing),
        **_AGAIN,
        depth_map=image(64, 7)[:, 0],
    ),
    "sd-gligen": _unet(adapters.with_unet("StableDiffusionGLIGENPipeline", attention_type="gated"), **adapters.BOXES),
    "sd-unclip": _unet(
        adapters.with_unet(
            "StableUnCLIPImg2ImgPipeline",
            class_embed_type="projection",
            projection_class_embeddings_input_dim=32,
            image_normalizer=adapters.normalizer,
            image_noising_scheduler=adapters.noising,
            image_encoder=adapters.eyes,
        ),
        image_embeds=_EMBEDDING,
    ),
    "sd-alt": _unet(as_class(sd, "AltDiffusionPipeline")),
    "sd-alt-img2img": _unet(as_class(sd, "AltDiffusionImg2ImgPipeline"), **_AGAIN),
    "sd-model-editing": _unet(as_class(sd, "StableDiffusionModelEditingPipeline")),
    "sd-animatediff": _film("AnimateDiffPipeline"),
    "sd-animatediff-controlnet": _film(
        "AnimateDiffControlNetPipeline",
        parts={"controlnet": _control},
        conditioning_frames=video(2, 64),
        single=True,
    ),
    "sd-animatediff-sparse-control": _film(
        "AnimateDiffSparseControlNetPipeline",
        parts={"controlnet": motion.sparse_control_of},
        conditioning_frames=picture(64),
    ),
    "sd-animatediff-video-to-video": _unet(
        partial(motion.animated, "AnimateDiffVideoToVideoPipeline"),
        "frames",
        single=True,
        video=video(2, 64),
        strength=0.9,
        num_inference_steps=4,
    ),
    "sd-animatediff-video-to-video-controlnet": _unet(
        partial(motion.animated, "AnimateDiffVideoToVideoControlNetPipeline", controlnet=_control),
        "frames",
        single=True,
        video=video(2, 64),
        conditioning_frames=video(2, 64),
        strength=0.9,
        num_inference_steps=4,
    ),
    "sdxl-animatediff": _film("AnimateDiffSDXLPipeline", sdxl),
    "sd-pia": _unet(motion.pia, "frames", single=True, num_frames=2, image=picture(64)),
    "sd-text-to-video": _unet(motion.text_to_video, "frames", num_frames=2),
    "sd-text-to-video-video": _unet(
        partial(motion.text_to_video, "VideoToVideoSDPipeline"),
        "frames",
        single=True,
        video=video(2, 64),
        strength=0.9,
        num_inference_steps=4,
    ),
}
"""A row per pipeline."""
