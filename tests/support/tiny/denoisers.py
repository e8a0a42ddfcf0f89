"""Tiny denoisers of the real classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from support.tiny.texts import DIM, QWEN_DIM
from support.tiny.weights import benign

_FOUR = {"in_channels": 4, "out_channels": 4}
_HEADS = {"num_attention_heads": 2, "attention_head_dim": 16}
_THREE_AXES = {"num_attention_heads": 2, "attention_head_dim": 12}
_SMALL_HEADS = {"num_attention_heads": 4, "attention_head_dim": 8}
_PAIR = {"num_layers": 1, "num_single_layers": 1}
_FLUX = {"patch_size": 1, "in_channels": 16, **_PAIR, **_HEADS, "joint_attention_dim": DIM, "axes_dims_rope": (4, 4, 8)}
_QWEN = {"out_channels": 4, "num_layers": 2, **_HEADS, "axes_dims_rope": (8, 4, 4)}
_COGVIEW = {"patch_size": 2, **_FOUR, "num_layers": 2, **_SMALL_HEADS, "text_embed_dim": DIM, "time_embed_dim": 8}
_WAN = {**_THREE_AXES, **_FOUR, "text_dim": DIM, "freq_dim": 32, "ffn_dim": 32, "num_layers": 2}

STABLE_DIFFUSION: Mapping[str, Any] = {
    "sample_size": 8,
    "block_out_channels": (16, 32),
    "layers_per_block": 1,
    "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
    "cross_attention_dim": 32,
    "norm_num_groups": 8,
    "attention_head_dim": 8,
}
SDXL: Mapping[str, Any] = {
    **STABLE_DIFFUSION,
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
    "attention_head_dim": (2, 4),
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 8,
    "transformer_layers_per_block": (1, 2),
    "projection_class_embeddings_input_dim": 80,  # 6 * 8 + 32
    "cross_attention_dim": 64,
}
DEEP_FLOYD: Mapping[str, Any] = {  # it also predicts a variance
    "sample_size": 16,
    "layers_per_block": 1,
    "block_out_channels": (16, 32),
    "down_block_types": ("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"),
    "mid_block_type": "UNetMidBlock2DSimpleCrossAttn",
    "up_block_types": ("SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"),
    "in_channels": 3,
    "out_channels": 6,
    "cross_attention_dim": DIM,
    "encoder_hid_dim": DIM,
    "attention_head_dim": 8,
    "addition_embed_type": "text",
    "addition_embed_type_num_heads": 2,
    "cross_attention_norm": "group_norm",
    "resnet_time_scale_shift": "scale_shift",
    "norm_num_groups": 8,
    "act_fn": "gelu",
}
"""The configs of UNet2DConditionModel."""

IMAGES: Mapping[str, Mapping[str, Any]] = {
    "UNet2DConditionModel": {},
    "Kandinsky3UNet": {
        "time_embedding_dim": 8,
        "groups": 2,
        "attention_head_dim": 4,
        "block_out_channels": (16, 32),
        "cross_attention_dim": 8,
        "encoder_hid_dim": DIM,
    },
    "SD3Transformer2DModel": {
        "sample_size": 4,
        "patch_size": 1,
        "in_channels": 16,  # the inpainting pipeline takes no other number
        "out_channels": 16,
        "num_layers": 2,
        **_SMALL_HEADS,
        "caption_projection_dim": 32,
        "joint_attention_dim": 64,  # both CLIPs side by side
        "pooled_projection_dim": 64,
        "pos_embed_max_size": 8,
    },
    "FluxTransformer2DModel": {**_FLUX, "pooled_projection_dim": 32},
    "ChromaTransformer2DModel": {
        **_FLUX,
        "approximator_num_channels": 8,
        "approximator_hidden_dim": 16,
        "approximator_layers": 1,
    },
    "OvisImageTransformer2DModel": {**_FLUX, "out_channels": 16},
    "Flux2Transformer2DModel": {
        **_FLUX,
        "joint_attention_dim": 3 * DIM,
        "timestep_guidance_channels": 16,
        "axes_dims_rope": (4, 4, 4, 4),
        "guidance_embeds": False,
    },
    "Flux3Transformer2DModel": {
        "in_channels": 16,
        "cond_in_channels": 16,
        **_PAIR,
        **_HEADS,
        "joint_attention_dim": 2 * QWEN_DIM,
        "timestep_channels": 16,
        "axes_dims_rope": (4, 4, 4, 4),
    },
    "QwenImageTransformer2DModel": {"patch_size": 2, "in_channels": 16, **_QWEN, "joint_attention_dim": QWEN_DIM},
    "QwenImage21Transformer2DModel": {"in_channels": 4, **_QWEN, "context_in_dim": QWEN_DIM},
    "NucleusMoEImageTransformer2DModel": {  # its second layer is a mixture of experts
        "in_channels": 16,
        **_QWEN,
        "joint_attention_dim": QWEN_DIM,
        "mlp_ratio": 8.0,  # smaller ones make layers of width 0
        "dense_moe_strategy": "leave_first_block_dense",
        "num_experts": 4,
        "moe_intermediate_dim": 16,
        "capacity_factors": 2.0,
    },
    "PixArtTransformer2DModel": {
        "sample_size": 8,
        "num_layers": 2,
        "attention_head_dim": 8,
        "num_attention_heads": 3,
        "caption_channels": DIM,
        "in_channels": 4,
        "cross_attention_dim": 24,
        "out_channels": 8,
        "use_additional_conditions": False,
    },
    "SanaTransformer2DModel": {
        "patch_size": 1,
        **_FOUR,
        "num_layers": 2,
        "num_attention_heads": 2,
        "attention_head_dim": 8,
        "num_cross_attention_heads": 2,
        "cross_attention_head_dim": 8,
        "cross_attention_dim": 16,
        "caption_channels": DIM,
        "sample_size": 8,
    },
    "AuraFlowTransformer2DModel": {
        "sample_size": 8,
        "patch_size": 2,
        **_FOUR,
        "num_mmdit_layers": 1,
        "num_single_dit_layers": 1,
        **_SMALL_HEADS,
        "caption_projection_dim": 32,
        "joint_attention_dim": DIM,
        "pos_embed_max_size": 16,
    },
    "HiDreamImageTransformer2DModel": {
        "patch_size": 2,
        **_FOUR,
        **_PAIR,
        **_SMALL_HEADS,
        "caption_channels": [DIM, DIM],
        "text_emb_dim": 2 * DIM,
        "num_routed_experts": 4,
        "num_activated_experts": 2,
        "max_resolution": (16, 16),
        "axes_dims_rope": (4, 2, 2),
        "llama_layers": (0, 1),
    },
    "Lumina2Transformer2DModel": {
        "sample_size": 4,
        "patch_size": 2,
        "in_channels": 4,
        "hidden_size": 24,
        "num_layers": 2,
        "num_refiner_layers": 1,
        "num_attention_heads": 2,
        "num_kv_heads": 1,
        "multiple_of": 16,
        "axes_dim_rope": (4, 4, 4),
        "axes_lens": (256, 16, 16),
        "cap_feat_dim": DIM,
    },
    "CogView3PlusTransformer2DModel": {**_COGVIEW, "condition_dim": 4, "pos_embed_max_size": 8, "sample_size": 8},
    "CogView4Transformer2DModel": {**_COGVIEW, "condition_dim": 4},
    "ZImageTransformer2DModel": {
        "all_patch_size": (2,),
        "all_f_patch_size": (1,),
        "in_channels": 4,
        "dim": 32,
        "n_layers": 2,
        "n_refiner_layers": 1,
        "n_heads": 2,
        "n_kv_heads": 2,
        "cap_feat_dim": DIM,
        "axes_dims": [8, 4, 4],
        "axes_lens": [256, 32, 32],
    },
    "HunyuanImageTransformer2DModel": {
        **_FOUR,
        **_SMALL_HEADS,
        **_PAIR,
        "num_refiner_layers": 1,
        "text_embed_dim": QWEN_DIM,
        "text_embed_2_dim": DIM,
        "rope_axes_dim": (4, 4),
    },
    "ErnieImageTransformer2DModel": {
        "hidden_size": 32,
        "num_attention_heads": 2,
        "num_layers": 1,
        "ffn_hidden_size": 32,
        "in_channels": 16,
        "out_channels": 16,
        "text_in_dim": DIM,
        "rope_axes_dim": (4, 6, 6),
    },
    "CosmosTransformer3DModel": {
        **_FOUR,
        **_HEADS,
        "num_layers": 2,
        "mlp_ratio": 2,
        "text_embed_dim": 16,
        "adaln_lora_dim": 4,
        "max_size": (4, 16, 16),
        "concat_padding_mask": False,  # scaling the mask takes torchvision; it is all zeros
        "extra_pos_embed_type": None,
    },
    "Krea2Transformer2DModel": {
        "in_channels": 16,
        "num_layers": 2,
        **_HEADS,
        "num_key_value_heads": 1,
        "intermediate_size": 32,
        "timestep_embed_dim": 16,
        "text_hidden_dim": QWEN_DIM,
        "text_num_attention_heads": 2,
        "text_num_key_value_heads": 2,
        "text_intermediate_size": QWEN_DIM,
        "num_layerwise_text_blocks": 1,
        "num_refiner_text_blocks": 1,
        "axes_dims_rope": (8, 4, 4),
    },
}

VIDEOS: Mapping[str, Mapping[str, Any]] = {
    "WanTransformer3DModel": {
        "patch_size": (1, 2, 2),
        **_WAN,
        "cross_attn_norm": True,
        "qk_norm": "rms_norm_across_heads",
        "rope_max_seq_len": 32,
    },
    "WanVACETransformer3DModel": {
        "patch_size": (1, 2, 2),
        **_WAN,
        "rope_max_seq_len": 32,
        "vace_layers": [0],
        "vace_in_channels": 2 * 4 + 64,
    },
    "WanAnimate2Transformer3DModel": {
        "text_len": 48,
        "in_dim": 4 + 4 + 4,
        "dim": 24,
        "ffn_dim": 32,
        "freq_dim": 32,
        "text_dim": DIM,
        "out_dim": 4,
        "num_heads": 2,
        "num_layers": 2,
    },
    "SkyReelsV2Transformer3DModel": {**_WAN, "rope_max_seq_len": 32},
    "HeliosTransformer3DModel": {**_WAN, "rope_dim": (4, 4, 4)},
    "CogVideoXTransformer3DModel": {
        **_HEADS,
        **_FOUR,
        "time_embed_dim": 8,
        "text_embed_dim": DIM,
        "num_layers": 1,
        "sample_width": 2,
        "sample_height": 2,
        "sample_frames": 9,
        "max_text_seq_length": 48,
        "use_rotary_positional_embeddings": True,
    },
    "MochiTransformer3DModel": {
        "num_attention_heads": 2,
        "attention_head_dim": 8,
        "num_layers": 2,
        "pooled_projection_dim": 16,
        "text_embed_dim": DIM,
        "time_embed_dim": 4,
        "max_sequence_length": 48,
    },
    "AllegroTransformer3DModel": {
        **_THREE_AXES,
        "num_layers": 1,
        "cross_attention_dim": 24,
        "sample_width": 2,
        "sample_height": 2,
        "sample_frames": 2,
        "caption_channels": DIM,
    },
    "HunyuanVideoTransformer3DModel": {
        **_FOUR,
        "num_attention_heads": 2,
        "attention_head_dim": 10,
        **_PAIR,
        "num_refiner_layers": 1,
        "patch_size": 1,
        "text_embed_dim": DIM,
        "pooled_projection_dim": DIM,
        "rope_axes_dim": (2, 4, 4),
        "guidance_embeds": False,
    },
    "HunyuanVideo15Transformer3DModel": {
        "in_channels": 2 * 4 + 1,
        "out_channels": 4,
        **_THREE_AXES,
        "num_layers": 1,
        "num_refiner_layers": 1,
        "mlp_ratio": 2.0,
        "text_embed_dim": QWEN_DIM,
        "text_embed_2_dim": DIM,
        "image_embed_dim": 8,
        "rope_axes_dim": (4, 4, 4),
        "target_size": 16,
        "task_type": "t2v",
    },
    "MotifVideoTransformer3DModel": {
        "in_channels": 2 * 4 + 1,
        "out_channels": 4,
        **_THREE_AXES,
        **_PAIR,
        "mlp_ratio": 2.0,
        "text_embed_dim": DIM,
        "rope_axes_dim": (4, 4, 4),
    },
    "LTXVideoTransformer3DModel": {
        **_FOUR,
        "patch_size": 1,
        "patch_size_t": 1,
        "num_attention_heads": 2,
        "attention_head_dim": 8,
        "cross_attention_dim": 16,
        "num_layers": 2,
        "caption_channels": DIM,
    },
    "LTX2VideoTransformer3DModel": {
        **_FOUR,
        **_HEADS,
        "cross_attention_dim": 32,
        "audio_in_channels": 16,
        "audio_out_channels": 16,
        "audio_num_attention_heads": 2,
        "audio_attention_head_dim": 16,
        "audio_cross_attention_dim": 32,
        "num_layers": 2,
        "caption_channels": 32,
    },
}

CONFIGS = {**IMAGES, **VIDEOS}


def denoiser(name: str, seed: int, **changes: Any) -> Any:
    """Build a denoiser of this class of diffusers, with benign weights and `changes` to its config."""
    import diffusers

    return benign(getattr(diffusers, name)(**{**CONFIGS[name], **changes}), seed)


def another(name: str, seed: int, **changes: Any) -> Callable[[Mapping[str, Any]], Any]:
    """Return what builds a denoiser in the place of that of a tiny pipeline's components."""
    return lambda parts: denoiser(name, seed, **changes)
