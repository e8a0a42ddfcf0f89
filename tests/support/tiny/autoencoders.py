"""Tiny autoencoders of the real classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from support.tiny.weights import benign

_BLOCKS = ("ResBlock", "ResBlock", "EfficientViTBlock")
_VIDEO = {"block_out_channels": (8,) * 4, "latent_channels": 4, "layers_per_block": 1, "norm_num_groups": 4}
_UNIT = {"latents_mean": [0.0] * 4, "latents_std": [1.0] * 4}
_QWEN = {"z_dim": 4, "dim_mult": [1] * 3, "num_res_blocks": 1, "temperal_downsample": [False, True], **_UNIT}

STABLE_DIFFUSION: Mapping[str, Any] = {
    "block_out_channels": (8, 8, 8, 8),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "norm_num_groups": 4,
    "latent_channels": 4,
    "sample_size": 64,
}
"""The config of an AutoencoderKL that divides height and width by 8."""

CONFIGS: Mapping[str, Mapping[str, Any]] = {
    "AutoencoderKL": {  # halves height and width, as flow models use it
        "block_out_channels": (4, 4),
        "down_block_types": ("DownEncoderBlock2D",) * 2,
        "up_block_types": ("UpDecoderBlock2D",) * 2,
        "latent_channels": 4,
        "norm_num_groups": 1,
        "sample_size": 16,
        "use_quant_conv": False,
        "use_post_quant_conv": False,
        "shift_factor": 0.06,
        "scaling_factor": 1.5,
    },
    "AutoencoderKLQwenImage": {"base_dim": 12, **_QWEN},  # divides height and width by 4
    "AutoencoderKLQwenImage21": {"base_dim": 4, "decoder_base_dim": 4, **_QWEN},
    "AutoencoderKLWan": {  # divides height and width by 8 and the frames by 4
        "base_dim": 3,
        "z_dim": 4,
        "dim_mult": [1, 1, 1, 1],
        "num_res_blocks": 1,
        "temperal_downsample": [False, True, True],
        **_UNIT,
    },
    "AutoencoderDC": {  # divides height and width by 4
        "latent_channels": 4,
        "attention_head_dim": 2,
        "encoder_block_types": _BLOCKS,
        "decoder_block_types": _BLOCKS,
        "encoder_block_out_channels": (8, 8, 8),
        "decoder_block_out_channels": (8, 8, 8),
        "encoder_qkv_multiscales": ((), (), (5,)),
        "decoder_qkv_multiscales": ((), (), (5,)),
        "encoder_layers_per_block": (1, 1, 1),
        "decoder_layers_per_block": (1, 1, 1),
        "downsample_block_type": "conv",
        "upsample_block_type": "interpolate",
        "decoder_norm_types": "rms_norm",
        "decoder_act_fns": "silu",
        "scaling_factor": 0.4,
    },
    "AutoencoderKLHunyuanImage": {  # divides height and width by 4
        "in_channels": 3,
        "out_channels": 3,
        "latent_channels": 4,
        "block_out_channels": (32, 32, 32),
        "layers_per_block": 1,
        "spatial_compression_ratio": 4,
        "sample_size": 16,
        "scaling_factor": 0.5,
    },
    "AutoencoderKLFlux2": {
        "block_out_channels": (4,),
        "down_block_types": ("DownEncoderBlock2D",),
        "up_block_types": ("UpDecoderBlock2D",),
        "layers_per_block": 1,
        "latent_channels": 4,
        "norm_num_groups": 1,
        "sample_size": 32,
    },
    "VQModel": {
        "block_out_channels": (32, 32),
        "down_block_types": ("DownEncoderBlock2D",) * 2,
        "up_block_types": ("UpDecoderBlock2D",) * 2,
        "latent_channels": 4,
        "num_vq_embeddings": 12,
        "vq_embed_dim": 4,
        "norm_type": "spatial",
        "norm_num_groups": 8,
    },
    "AutoencoderKLCogVideoX": _VIDEO,
    "AutoencoderKLAllegro": _VIDEO,
    "AutoencoderKLHunyuanVideo": _VIDEO,
    "AutoencoderKLMochi": {
        "layers_per_block": (1,) * 5,
        "encoder_block_out_channels": (32,) * 4,
        "decoder_block_out_channels": (32,) * 4,
    },
    "AutoencoderKLHunyuanVideo15": {
        "latent_channels": 4,
        "block_out_channels": (32, 32, 32),
        "layers_per_block": 1,
        "spatial_compression_ratio": 4,
    },
    "AutoencoderKLLTXVideo": {
        "latent_channels": 4,
        "block_out_channels": (8, 8, 8, 8),
        "decoder_block_out_channels": (8, 8, 8, 8),
        "layers_per_block": (1,) * 5,
        "decoder_layers_per_block": (1,) * 5,
        "spatio_temporal_scaling": (True, True, False, False),
        "decoder_spatio_temporal_scaling": (True, True, False, False),
        "decoder_inject_noise": (False,) * 5,
        "upsample_residual": (False,) * 4,
        "upsample_factor": (1,) * 4,
        "patch_size": 1,
        "patch_size_t": 1,
    },
    "AutoencoderKLLTX2Audio": {
        "base_channels": 4,
        "ch_mult": (1, 2, 4),
        "num_res_blocks": 1,
        "latent_channels": 4,
        "mel_bins": 16,
        "resolution": 16,
    },
}


def autoencoder(name: str = "AutoencoderKL", seed: int = 1, **changes: Any) -> Any:
    """Build an autoencoder of this class of diffusers, of 4 latent channels if `changes` to its config say no other."""
    import diffusers

    return benign(getattr(diffusers, name)(**{**CONFIGS[name], **changes}), seed)
