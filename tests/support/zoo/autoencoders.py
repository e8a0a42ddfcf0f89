"""Tiny autoencoders of the real classes."""

from __future__ import annotations

from typing import Any

from support.zoo.weights import benign


def kl(channels: int, seed: int = 1) -> Any:
    """Build an AutoencoderKL that halves height and width, as flow models use it."""
    from diffusers import AutoencoderKL

    config: dict[str, Any] = {
        "block_out_channels": (4, 4),
        "down_block_types": ("DownEncoderBlock2D",) * 2,
        "up_block_types": ("UpDecoderBlock2D",) * 2,
        "latent_channels": channels,
        "norm_num_groups": 1,
        "sample_size": 16,
        "use_quant_conv": False,
        "use_post_quant_conv": False,
        "shift_factor": 0.06,
        "scaling_factor": 1.5,
    }
    return benign(AutoencoderKL(**config), seed)


def qwen(channels: int, seed: int = 1) -> Any:
    """Build an AutoencoderKLQwenImage that divides height and width by 4."""
    from diffusers import AutoencoderKLQwenImage

    vae = AutoencoderKLQwenImage(
        base_dim=12,
        z_dim=channels,
        dim_mult=[1, 1, 1],
        num_res_blocks=1,
        temperal_downsample=[False, True],
        latents_mean=[0.0] * channels,
        latents_std=[1.0] * channels,
    )
    return benign(vae, seed)


def wan(channels: int, seed: int = 1) -> Any:
    """Build an AutoencoderKLWan that divides height and width by 8 and the frames by 4."""
    from diffusers import AutoencoderKLWan

    vae = AutoencoderKLWan(
        base_dim=3,
        z_dim=channels,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        temperal_downsample=[False, True, True],
        latents_mean=[0.0] * channels,
        latents_std=[1.0] * channels,
    )
    return benign(vae, seed)


def deep_compression(channels: int, seed: int = 1) -> Any:
    """Build an AutoencoderDC that divides height and width by 4."""
    from diffusers import AutoencoderDC

    blocks: Any = ("ResBlock", "ResBlock", "EfficientViTBlock")
    vae = AutoencoderDC(
        latent_channels=channels,
        attention_head_dim=2,
        encoder_block_types=blocks,
        decoder_block_types=blocks,
        encoder_block_out_channels=(8, 8, 8),
        decoder_block_out_channels=(8, 8, 8),
        encoder_qkv_multiscales=((), (), (5,)),
        decoder_qkv_multiscales=((), (), (5,)),
        encoder_layers_per_block=(1, 1, 1),
        decoder_layers_per_block=(1, 1, 1),
        downsample_block_type="conv",
        upsample_block_type="interpolate",
        decoder_norm_types="rms_norm",
        decoder_act_fns="silu",
        scaling_factor=0.4,
    )
    return benign(vae, seed)


def hunyuan(channels: int, seed: int = 1) -> Any:
    """Build an AutoencoderKLHunyuanImage that divides height and width by 4."""
    from diffusers import AutoencoderKLHunyuanImage

    vae = AutoencoderKLHunyuanImage(
        in_channels=3,
        out_channels=3,
        latent_channels=channels,
        block_out_channels=(32, 32, 32),
        layers_per_block=1,
        spatial_compression_ratio=4,
        sample_size=16,
        scaling_factor=0.5,
    )
    return benign(vae, seed)
