"""Pipelines of other classes made of a tiny pipeline's parts, and the images, masks and controls that they read."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from support.tiny_pipelines import quiet
from support.zoo import video as video_models
from support.zoo.weights import benign


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
        if "requires_safety_checker" in accepted:
            parts["requires_safety_checker"] = False
        if "add_watermarker" in accepted:
            parts["add_watermarker"] = False
        return quiet(kind(**{key: part for key, part in parts.items() if key in accepted}))

    return make


def image(size: int, seed: int = 5) -> Tensor:
    """Return an image (1, 3, size, size) in [0, 1]."""
    return torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(seed))


def film(frames: int, size: int) -> Tensor:
    """Return a video (1, frames, 3, size, size) in [0, 1]."""
    return torch.rand(1, frames, 3, size, size, generator=torch.Generator().manual_seed(6))


def mask(size: int) -> Tensor:
    """Return a mask (1, 1, size, size) whose right half is to be painted."""
    return (torch.arange(size) >= size // 2).float().expand(1, 1, size, size).clone()


def video(frames: int, size: int) -> list[Any]:
    """Return a video of Pillow images."""
    from PIL import Image

    rows = (torch.rand(frames, size, size, 3, generator=torch.Generator().manual_seed(6)) * 255).byte().numpy()
    return [Image.fromarray(row) for row in rows]


def picture(size: int) -> Any:
    """Return a Pillow image."""
    return video(1, size)[0]


def control_of_unet(pipe: Any) -> Any:
    """Build a ControlNet for a pipeline's U-Net, whose residuals are not zero."""
    from diffusers import ControlNetModel

    control = ControlNetModel.from_unet(pipe.unet, conditioning_embedding_out_channels=(8, 8, 8, 8))
    return benign(control, 200)


def control_of_sd3(pipe: Any) -> Any:
    """Build a ControlNet for a tiny SD3."""
    from diffusers import SD3ControlNetModel

    control = SD3ControlNetModel.from_transformer(pipe.transformer, num_layers=1, num_extra_conditioning_channels=0)
    return benign(control, 201)


def union_control_of_unet(pipe: Any) -> Any:
    """Build a ControlNet of many kinds of control for a pipeline's U-Net, whose residuals are not zero."""
    from diffusers import ControlNetUnionModel

    known, width = inspect.signature(ControlNetUnionModel.__init__).parameters, pipe.unet.config.block_out_channels[0]
    control = ControlNetUnionModel(
        **{key: value for key, value in pipe.unet.config.items() if key in known},
        conditioning_embedding_out_channels=(8, 8, 8, 8),
        num_trans_channel=width,
        num_trans_head=2,
        num_proj_channel=width,
    )
    return benign(control, 204)


def inpaint_control_of_sd3(pipe: Any) -> Any:
    """Build a ControlNet for a tiny SD3 that also reads a mask."""
    from diffusers import SD3ControlNetModel

    return benign(SD3ControlNetModel.from_transformer(pipe.transformer, num_layers=1), 205)


def control_of_flux(pipe: Any) -> Any:
    """Build a ControlNet for a tiny Flux."""
    from diffusers import FluxControlNetModel

    sizes: Any = {"num_layers": 1, "num_single_layers": 1, "attention_head_dim": 16, "num_attention_heads": 2}
    return benign(FluxControlNetModel.from_transformer(pipe.transformer, **sizes), 206)


def control_of_qwen_image(pipe: Any, more: int = 0) -> Any:
    """Build a ControlNet for a tiny Qwen-Image that reads more channels than those of the picture."""
    from diffusers import QwenImageControlNetModel

    sizes: Any = {"num_layers": 1, "attention_head_dim": 16, "num_attention_heads": 2, "extra_condition_channels": more}
    return benign(QwenImageControlNetModel.from_transformer(pipe.transformer, **sizes), 207)


def cogview4_control() -> Any:
    """Build a CogView4ControlPipeline, whose transformer reads the control's channels beside its own."""
    from diffusers import CogView4ControlPipeline, CogView4Transformer2DModel

    from support.zoo.decoders import cogview4

    parts = dict(cogview4().components)
    config = {**parts["transformer"].config, "in_channels": 8}
    parts["transformer"] = benign(CogView4Transformer2DModel.from_config(config), 208)
    return quiet(CogView4ControlPipeline(**parts))


def skyreels() -> Any:
    """Build a SkyReelsV2Pipeline."""
    without_ftfy("pipeline_skyreels_v2", "skyreels_v2")
    return video_models.skyreels()


def skyreels_image_to_video() -> Any:
    """Build a SkyReelsV2ImageToVideoPipeline, which also reads the image through CLIP."""
    from support.guiders.models_wan import wan_image

    without_ftfy("pipeline_skyreels_v2_i2v", "skyreels_v2")
    eyes = {name: part for name, part in wan_image().items() if name in ("image_encoder", "image_processor")}
    return video_models.skyreels("SkyReelsV2ImageToVideoPipeline", 4 + 4 + 4, **eyes)


def with_ip_adapter(base: Callable[[], Any]) -> Callable[[], Any]:
    """Return what builds a tiny pipeline with an IP-Adapter that reads image embeddings of width 16."""

    def make() -> Any:
        pipe = base()
        generator = torch.Generator().manual_seed(202)
        width = pipe.unet.config.cross_attention_dim

        def weight(*shape: int) -> Tensor:
            return torch.randn(shape, generator=generator) / shape[-1] ** 0.5

        layers = [part for name, part in pipe.unet.named_modules() if name.endswith("attn2")]
        adapter = {
            f"{2 * i + 1}.to_{kind}_ip.weight": weight(layer.to_q.out_features, width)
            for i, layer in enumerate(layers)
            for kind in "kv"
        }
        projection = {
            "proj.weight": weight(4 * width, 16),
            "proj.bias": weight(4 * width),
            "norm.weight": torch.ones(width),
            "norm.bias": torch.zeros(width),
        }
        pipe.unet._load_ip_adapter_weights([{"image_proj": projection, "ip_adapter": adapter}])
        return pipe

    return make


def image_embeds() -> list[Tensor]:
    """Return image embeddings of an IP-Adapter: [unconditional; conditional]."""
    return [torch.randn(2, 1, 16, generator=torch.Generator().manual_seed(203))]


def without_ftfy(module: str, family: str = "wan") -> None:
    """Let a module that calls ftfy also where it is not installed call nothing."""
    cleaner = importlib.import_module(f"diffusers.pipelines.{family}.{module}")
    if not hasattr(cleaner, "ftfy"):
        cleaner.ftfy = SimpleNamespace(fix_text=str)  # type: ignore[attr-defined]


def wan_video_to_video() -> Any:
    """Build a WanVideoToVideoPipeline."""
    from support.zoo.flow import wan

    without_ftfy("pipeline_wan_video2video")
    return as_class(wan, "WanVideoToVideoPipeline")()


def wan_image_to_video() -> Any:
    """Build a WanImageToVideoPipeline (2.2, without an image encoder), whose transformer also reads mask and image."""
    from diffusers import WanImageToVideoPipeline

    from support.zoo.flow import wan, wan_transformer

    without_ftfy("pipeline_wan_i2v")
    parts = dict(wan().components)
    parts["transformer"] = benign(wan_transformer(in_channels=4 + 4 + 4), 42)
    return quiet(WanImageToVideoPipeline(**parts))


def wan_2_2() -> Any:
    """Build a WanPipeline with two transformers, one for high and one for low noise."""
    from diffusers import WanPipeline

    from support.zoo.flow import wan, wan_transformer

    parts = {**wan().components, "transformer_2": benign(wan_transformer(), 43)}
    return quiet(WanPipeline(**parts, boundary_ratio=0.8))
