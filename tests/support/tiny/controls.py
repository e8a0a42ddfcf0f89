"""ControlNets and IP-Adapters for the components of tiny pipelines."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import Tensor

from support.tiny.components import Parts
from support.tiny.weights import benign

_SIZES: Any = {"num_layers": 1, "attention_head_dim": 16, "num_attention_heads": 2}


def control_of_unet(parts: Parts) -> Any:
    """Build a ControlNet for a U-Net, whose residuals are not zero."""
    from diffusers import ControlNetModel

    return benign(ControlNetModel.from_unet(parts["unet"], conditioning_embedding_out_channels=(8, 8, 8, 8)), 200)


def union_control_of_unet(parts: Parts) -> Any:
    """Build a ControlNet of many kinds of control for a U-Net, whose residuals are not zero."""
    from diffusers import ControlNetUnionModel

    config, known = parts["unet"].config, inspect.signature(ControlNetUnionModel.__init__).parameters
    width = config.block_out_channels[0]
    control = ControlNetUnionModel(
        **{key: value for key, value in config.items() if key in known},
        conditioning_embedding_out_channels=(8, 8, 8, 8),
        num_trans_channel=width,
        num_trans_head=2,
        num_proj_channel=width,
    )
    return benign(control, 204)


def control_of_sd3(parts: Parts) -> Any:
    """Build a ControlNet for an SD3."""
    from diffusers import SD3ControlNetModel

    options: Any = {"num_layers": 1, "num_extra_conditioning_channels": 0}
    return benign(SD3ControlNetModel.from_transformer(parts["transformer"], **options), 201)


def inpaint_control_of_sd3(parts: Parts) -> Any:
    """Build a ControlNet for an SD3 that also reads a mask."""
    from diffusers import SD3ControlNetModel

    return benign(SD3ControlNetModel.from_transformer(parts["transformer"], num_layers=1), 205)


def control_of_flux(parts: Parts) -> Any:
    """Build a ControlNet for a Flux."""
    from diffusers import FluxControlNetModel

    return benign(FluxControlNetModel.from_transformer(parts["transformer"], **_SIZES, num_single_layers=1), 206)


def control_of_qwen_image(parts: Parts, more: int = 0) -> Any:
    """Build a ControlNet for a Qwen-Image that reads more channels than those of the picture."""
    from diffusers import QwenImageControlNetModel as ControlNet

    return benign(ControlNet.from_transformer(parts["transformer"], **_SIZES, extra_condition_channels=more), 207)


def with_ip_adapter(parts: Parts) -> Any:
    """Give a U-Net an IP-Adapter that reads image embeddings of width 16; returns it."""
    unet, generator = parts["unet"], torch.Generator().manual_seed(202)
    width = unet.config.cross_attention_dim

    def weight(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator) / shape[-1] ** 0.5

    layers = [part for name, part in unet.named_modules() if name.endswith("attn2")]
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
    unet._load_ip_adapter_weights([{"image_proj": projection, "ip_adapter": adapter}])
    return unet
