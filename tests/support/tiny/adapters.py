"""Tiny pipelines of Stable Diffusion and SDXL whose U-Net also reads features, boxes, depth or an image embedding."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from support.tiny.classes import as_class, sd
from support.tiny.stable_diffusion import quiet
from support.tiny.weights import benign

BOXES: dict[str, Any] = {
    "gligen_phrases": ["a red book"],
    "gligen_boxes": [[0.1, 0.2, 0.5, 0.9]],
    "gligen_scheduled_sampling_beta": 1.0,
}


def adapter_of(pipe: Any) -> Any:
    """Build a T2I-Adapter for a tiny U-Net: a feature for each of its two blocks."""
    from diffusers import T2IAdapter

    channels: Any = [*pipe.unet.config.block_out_channels]
    late = hasattr(pipe, "text_encoder_2")  # the tiny SDXL takes its features where the picture is half as large
    sizes: Any = {"adapter_type": "full_adapter_xl", "downscale_factor": 16} if late else {"downscale_factor": 8}
    return benign(T2IAdapter(in_channels=3, channels=channels, num_res_blocks=1, **sizes), 800)


def xs_of(pipe: Any) -> Any:
    """Build a ControlNet-XS for a tiny U-Net."""
    from diffusers import ControlNetXSAdapter

    sizes: Any = {"conditioning_embedding_out_channels": (8, 8, 8, 8), "num_attention_heads": 2}
    return ControlNetXSAdapter.from_unet(pipe.unet, size_ratio=0.5, **sizes)


def controlled(name: str, base: Callable[[], Any]) -> Callable[[], Any]:
    """Return what builds a pipeline with ControlNet-XS, which needs two layers a block and makes one U-Net of both."""

    def make() -> Any:
        from diffusers import UNet2DConditionModel

        pipe = base()
        config = {key: value for key, value in pipe.unet.config.items() if not key.startswith("_")}
        pipe.unet = UNet2DConditionModel(**{**config, "layers_per_block": 2})
        made = as_class(lambda: pipe, name, controlnet=xs_of)()
        benign(made.unet, 801)
        return made

    return make


def with_unet(name: str, **changes: Any) -> Callable[[], Any]:
    """Return what builds a pipeline class of the tiny Stable Diffusion's parts with a changed U-Net.

    Args:
        name: A class of diffusers.
        changes: Of the configuration of the U-Net; entries that are functions make further parts.
    """

    def make() -> Any:
        import diffusers

        parts = dict(sd().components)
        more = {key: changes[key]() for key in changes if callable(changes[key])}
        config = {key: value for key, value in parts["unet"].config.items() if not key.startswith("_")}
        config |= {key: value for key, value in changes.items() if key not in more}
        parts["unet"] = benign(diffusers.UNet2DConditionModel(**config), 802)
        parts |= {**more, "requires_safety_checker": False}
        kind = getattr(diffusers, name)
        accepted = inspect.signature(kind.__init__).parameters
        return quiet(kind(**{key: part for key, part in parts.items() if key in accepted}))

    return make


def normalizer() -> Any:
    """Build the part of unCLIP that normalizes image embeddings of width 16."""
    from diffusers.pipelines.stable_diffusion.stable_unclip_image_normalizer import StableUnCLIPImageNormalizer

    return StableUnCLIPImageNormalizer(embedding_dim=16).requires_grad_(False)


def eyes() -> Any:
    """Build a CLIP that turns an image into an embedding of width 16."""
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    size: Any = {"image_size": 16, "patch_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = CLIPVisionConfig(hidden_size=16, intermediate_size=16, projection_dim=16, **size)
    return benign(CLIPVisionModelWithProjection(config), 803)


def noising() -> Any:
    """Build the scheduler that puts noise on image embeddings."""
    from diffusers import DDPMScheduler

    return DDPMScheduler(beta_schedule="squaredcos_cap_v2")


def nothing() -> Any:
    """Return None, for a part that is not used."""
