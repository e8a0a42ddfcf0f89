"""Tiny components of modular video pipelines: Helios, HunyuanVideo 1.5 and Wan-Animate 2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.guider import models_wan
from adapters.zoo import autoencoders, texts
from adapters.zoo.decoders import _CHAT
from adapters.zoo.flow import FLOW
from adapters.zoo.tokenizers import byte_tokenizer, word_tokenizer
from adapters.zoo.weights import benign


def helios(stages: int = 1) -> Mapping[str, Any]:
    """Return Helios' components; with several stages those of its pyramid."""
    from diffusers import HeliosScheduler, HeliosTransformer3DModel
    from diffusers.modular_pipelines.helios import encoders

    models_wan.without_ftfy(encoders)
    transformer = HeliosTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=12,
        in_channels=4,
        out_channels=4,
        text_dim=texts.DIM,
        freq_dim=32,
        ffn_dim=32,
        num_layers=2,
        rope_dim=(4, 4, 4),
    )
    tokenizer = byte_tokenizer()
    return {
        "transformer": benign(transformer, 400),
        "scheduler": HeliosScheduler(stages=stages),
        "text_encoder": texts.umt5(tokenizer, 401),
        "tokenizer": tokenizer,
        "vae": autoencoders.wan(4),
    }


def hunyuan_video() -> Mapping[str, Any]:
    """Return the components of HunyuanVideo 1.5, whose system message is 108 tokens long."""
    from diffusers import AutoencoderKLHunyuanVideo15, FlowMatchEulerDiscreteScheduler
    from diffusers import HunyuanVideo15Transformer3DModel as Transformer

    transformer = Transformer(
        in_channels=2 * 4 + 1,
        out_channels=4,
        num_attention_heads=2,
        attention_head_dim=12,
        num_layers=1,
        num_refiner_layers=1,
        mlp_ratio=2.0,
        text_embed_dim=16,
        text_embed_2_dim=texts.DIM,
        image_embed_dim=8,
        rope_axes_dim=(4, 4, 4),
        target_size=16,
        task_type="t2v",
    )
    vae = AutoencoderKLHunyuanVideo15(
        latent_channels=4, block_out_channels=(32, 32), layers_per_block=1, spatial_compression_ratio=4
    )
    special = ("<|endoftext|>", "<|im_start|>", "<|image_pad|>", "<|im_end|>")
    first, second = word_tokenizer("system\nuser\nassistant\n", special, chat_template=_CHAT), byte_tokenizer()
    return {
        "transformer": benign(transformer, 410),
        "scheduler": FlowMatchEulerDiscreteScheduler(shift=5.0),
        "text_encoder": texts.qwen_vl(first, 411, layers=3).model.language_model,
        "tokenizer": first,
        "text_encoder_2": texts.t5(second, 412),
        "tokenizer_2": second,
        "vae": benign(vae, 413),
    }


def wan_animate_2() -> Mapping[str, Any]:
    """Return the components of Wan-Animate 2, which reads a picture of a character and a video of another."""
    from diffusers import UniPCMultistepScheduler, WanAnimate2Transformer3DModel
    from diffusers.modular_pipelines.wan_animate_2 import encoders
    from transformers import CLIPVisionConfig, CLIPVisionModel

    models_wan.without_ftfy(encoders)
    vision = CLIPVisionConfig(
        hidden_size=1280, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2, patch_size=112
    )
    transformer = WanAnimate2Transformer3DModel(
        text_len=48,
        in_dim=4 + 4 + 4,
        dim=24,
        ffn_dim=32,
        freq_dim=32,
        text_dim=texts.DIM,
        out_dim=4,
        num_heads=2,
        num_layers=2,
    )
    scheduler: Any = UniPCMultistepScheduler(**FLOW)
    return {
        **models_wan.wan(),
        "transformer": benign(transformer, 420),
        "scheduler": scheduler,
        "image_encoder": benign(CLIPVisionModel(vision), 421),
    }
