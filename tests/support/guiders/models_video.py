"""Tiny video pipelines: Helios, HunyuanVideo 1.5, Wan-Animate 2 and Motif-Video."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from support.guiders import models_wan
from support.tiny_pipelines import quiet
from support.zoo import autoencoders, texts
from support.zoo.decoders import _CHAT
from support.zoo.tokenizers import byte_tokenizer, word_tokenizer
from support.zoo.weights import benign


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
        "scheduler": HeliosScheduler(stages=stages, gamma=0.25),  # 1/3 makes a covariance that is singular in float32
        "text_encoder": texts.umt5(tokenizer, 401),
        "tokenizer": tokenizer,
        "vae": autoencoders.wan(4),
    }


def hunyuan_video() -> Mapping[str, Any]:
    """Return the components of HunyuanVideo 1.5; its pipeline reads short texts and few tokens of an image."""
    from diffusers import AutoencoderKLHunyuanVideo15, FlowMatchEulerDiscreteScheduler
    from diffusers import HunyuanVideo15Transformer3DModel as Transformer
    from diffusers.modular_pipelines.hunyuan_video1_5.modular_pipeline import HunyuanVideo15ModularPipeline

    short = {"system_message": "describe", "prompt_template_encode_start_idx": 11, "tokenizer_max_length": 48}
    for name, value in {**short, "tokenizer_2_max_length": 16, "vision_num_semantic_tokens": 4}.items():
        setattr(HunyuanVideo15ModularPipeline, name, value)
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
    widths: Any = (32, 32, 32)
    vae = AutoencoderKLHunyuanVideo15(
        latent_channels=4, block_out_channels=widths, layers_per_block=1, spatial_compression_ratio=4
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


def _block_mask(*args: Any, _compile: bool = False, **options: Any) -> Any:
    """Make the mask of flex attention without a compiler, for which PyTorch has a warning and a CPU no need."""
    from torch.nn.attention.flex_attention import create_block_mask

    return create_block_mask(*args, **options)


def wan_animate_2() -> Mapping[str, Any]:
    """Return the components of Wan-Animate 2, which reads a picture of a character and a video of another."""
    from diffusers import FlowMatchEulerDiscreteScheduler, WanAnimate2Transformer3DModel
    from diffusers.models.transformers import transformer_wan_animate_2
    from diffusers.modular_pipelines.wan_animate_2 import encoders
    from transformers import CLIPVisionConfig, CLIPVisionModel

    models_wan.without_ftfy(encoders)
    transformer_wan_animate_2.create_block_mask = _block_mask
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
    return {
        **models_wan.wan(),
        "transformer": benign(transformer, 420),
        "scheduler": FlowMatchEulerDiscreteScheduler(shift=3.0),
        "image_encoder": benign(CLIPVisionModel(vision), 421),
    }


def motif_video(name: str = "MotifVideoPipeline") -> Any:
    """Build one of Motif-Video's pipelines, which are no modular ones.

    A T5 stands in for T5Gemma 2, and two tokens for what its image encoder makes of an image.
    """
    import diffusers
    import torch

    transformer = diffusers.MotifVideoTransformer3DModel(
        in_channels=2 * 4 + 1,
        out_channels=4,
        num_attention_heads=2,
        attention_head_dim=12,
        num_layers=1,
        num_single_layers=1,
        mlp_ratio=2.0,
        text_embed_dim=texts.DIM,
        image_embed_dim=8 if "Image2Video" in name else None,
        rope_axes_dim=(4, 4, 4),
    )
    tokenizer: Any = byte_tokenizer()
    text_encoder: Any = texts.t5(tokenizer, 431)
    pipe = getattr(diffusers, name)(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=autoencoders.wan(4),
        text_encoder=text_encoder,
        tokenizer=tokenizer,
        transformer=benign(transformer, 430),
        guider=diffusers.ClassifierFreeGuidance(guidance_scale=4.0),
        feature_extractor=None,
    )
    if "Image2Video" in name:
        text_encoder.vision_tower = None
        pipe._get_image_embeds = lambda **given: torch.linspace(-1, 1, 16, dtype=pipe.dtype).reshape(1, 2, 8)
    return quiet(pipe)
