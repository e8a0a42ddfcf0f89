"""Tiny pipelines that make videos with a U-Net: AnimateDiff, PIA and the text-to-video model of ModelScope."""

from __future__ import annotations

from typing import Any

import torch

from support.tiny.classes import as_class, sd
from support.tiny.stable_diffusion import quiet
from support.tiny.weights import benign


def animated(name: str, base: Any = sd, **parts: Any) -> Any:
    """Build a pipeline of AnimateDiff from the parts of a tiny Stable Diffusion or SDXL."""
    pipe = as_class(base, name, **{"motion_adapter": _motion, **parts})()
    benign(pipe.unet, 810)
    return pipe


def _motion(pipe: Any, **more: Any) -> Any:
    from diffusers import MotionAdapter

    return MotionAdapter(
        block_out_channels=pipe.unet.config.block_out_channels,
        motion_layers_per_block=1,
        motion_num_attention_heads=2,
        motion_norm_num_groups=8,
        motion_max_seq_length=16,
        **more,
    )


def pia() -> Any:
    """Build a PIAPipeline, whose U-Net also reads a mask and an image for each frame."""
    return animated("PIAPipeline", motion_adapter=lambda pipe: _motion(pipe, conv_in_channels=9))


def sparse_control_of(pipe: Any) -> Any:
    """Build a SparseCtrl for a tiny U-Net, which reads images as they are."""
    from diffusers import SparseControlNetModel

    config = pipe.unet.config
    blocks: Any = tuple(name.replace("2D", "Motion") for name in config.down_block_types)
    control = SparseControlNetModel(
        in_channels=4,
        conditioning_channels=3,
        down_block_types=blocks,
        block_out_channels=config.block_out_channels,
        layers_per_block=1,
        norm_num_groups=8,
        cross_attention_dim=config.cross_attention_dim,
        attention_head_dim=8,
        conditioning_embedding_out_channels=(8, 8, 8, 8),
        motion_num_attention_heads=2,
        motion_max_seq_length=16,
        use_simplified_condition_embedding=False,
    )
    return benign(control, 811)


def text_to_video(name: str = "TextToVideoSDPipeline") -> Any:
    """Build a pipeline of ModelScope's model."""
    import diffusers
    from diffusers import UNet3DConditionModel

    parts = dict(sd().components)
    net = UNet3DConditionModel(
        sample_size=8,
        block_out_channels=(16, 32),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock3D", "DownBlock3D"),
        up_block_types=("UpBlock3D", "CrossAttnUpBlock3D"),
        cross_attention_dim=32,
        norm_num_groups=8,
        attention_head_dim=8,
    )
    parts["unet"] = benign(net, 812)
    kept = ("vae", "text_encoder", "tokenizer", "unet", "scheduler")
    return quiet(getattr(diffusers, name)(**{key: parts[key] for key in kept}))


def frames(count: int, size: int) -> torch.Tensor:
    """Return control images of a video: (count, 3, size, size)."""
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(8))
