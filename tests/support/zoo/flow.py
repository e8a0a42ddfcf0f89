"""Tiny pipelines of flow models: SD3, Flux, Qwen-Image and Wan."""

from __future__ import annotations

from typing import Any, cast

from support.tiny_checkpoint import tiny_tokenizer
from support.tiny_pipelines import quiet
from support.zoo import autoencoders, texts
from support.zoo.tokenizers import byte_tokenizer, word_tokenizer
from support.zoo.weights import benign

FLOW: dict[str, Any] = {"prediction_type": "flow_prediction", "use_flow_sigmas": True, "flow_shift": 3.0}
"""What makes a multistep scheduler one of flow models."""


def sd3() -> Any:
    """Build a StableDiffusion3Pipeline that makes 8x8 images of 4x4 latents."""
    from diffusers import FlowMatchEulerDiscreteScheduler, SD3Transformer2DModel, StableDiffusion3Pipeline

    transformer = SD3Transformer2DModel(
        sample_size=4,
        patch_size=1,
        in_channels=16,  # the inpainting pipeline takes no other number
        out_channels=16,
        num_layers=2,
        attention_head_dim=8,
        num_attention_heads=4,
        caption_projection_dim=32,
        joint_attention_dim=64,  # both CLIPs side by side
        pooled_projection_dim=64,
        pos_embed_max_size=8,
    )
    first, third = tiny_tokenizer(), byte_tokenizer()
    return quiet(
        StableDiffusion3Pipeline(
            transformer=benign(transformer, 10),
            scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
            vae=autoencoders.kl(16),
            text_encoder=texts.clip(first, 11, projection=True),
            tokenizer=first,
            text_encoder_2=texts.clip(first, 12, projection=True),
            tokenizer_2=tiny_tokenizer(),
            text_encoder_3=texts.t5(third, 13, dim=64),
            tokenizer_3=third,
        )
    )


def flux(*, guidance_embeds: bool = False, in_channels: int = 16) -> Any:
    """Build a FluxPipeline for 16x16 images; with `guidance_embeds` the distilled one that takes a scale as input.

    With more than 16 channels its transformer also reads an image, for pipelines of other classes.
    """
    from diffusers import FlowMatchEulerDiscreteScheduler, FluxPipeline, FluxTransformer2DModel

    transformer = FluxTransformer2DModel(
        patch_size=1,
        in_channels=in_channels,
        **({} if in_channels == 16 else {"out_channels": 16}),
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=32,
        pooled_projection_dim=32,
        axes_dims_rope=(4, 4, 8),
        guidance_embeds=guidance_embeds,
    )
    first, second = tiny_tokenizer(), byte_tokenizer()
    return quiet(
        FluxPipeline(
            transformer=benign(transformer, 20),
            scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
            vae=autoencoders.kl(4),
            text_encoder=texts.clip(first, 21, projection=False),
            tokenizer=first,
            text_encoder_2=texts.t5(second, 22),
            tokenizer_2=second,
        )
    )


def qwen_image() -> Any:
    """Build a QwenImagePipeline for 32x32 images."""
    from diffusers import FlowMatchEulerDiscreteScheduler, QwenImagePipeline, QwenImageTransformer2DModel

    transformer = QwenImageTransformer2DModel(
        patch_size=2,
        in_channels=16,
        out_channels=4,
        num_layers=2,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=16,
        axes_dims_rope=(8, 4, 4),
    )
    tokenizer = qwen_tokenizer()
    return quiet(
        QwenImagePipeline(
            transformer=benign(transformer, 30),
            scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
            vae=autoencoders.qwen(4),
            text_encoder=texts.qwen_vl(tokenizer, 31),
            tokenizer=tokenizer,
        )
    )


def qwen_tokenizer() -> Any:
    """Build a tokenizer that reads Qwen-Image's template as the real one does: its first 34 tokens are dropped."""
    known = (
        "<|im_start|>system\nDescribe the image by detailing the color, shape, size, texture, quantity, text, spatial "
        "relationships of the objects and background:<|im_end|>\n<|im_start|>user\n<|im_end|>\n<|im_start|>assistant\n"
    )
    return word_tokenizer(known, ("<|endoftext|>", "<|im_start|>", "<|image_pad|>", "<|im_end|>"))


def wan() -> Any:
    """Build a WanPipeline for 5 frames of 16x16."""
    from diffusers import UniPCMultistepScheduler, WanPipeline

    tokenizer, scheduler = byte_tokenizer(), cast("Any", UniPCMultistepScheduler(**FLOW))
    return quiet(
        WanPipeline(
            transformer=benign(wan_transformer(), 40),
            scheduler=scheduler,
            vae=autoencoders.wan(4),
            text_encoder=texts.umt5(tokenizer, 41),
            tokenizer=tokenizer,
        )
    )


def wan_transformer(in_channels: int = 4, **more: Any) -> Any:
    """Build a WanTransformer3DModel."""
    from diffusers import WanTransformer3DModel

    return WanTransformer3DModel(
        patch_size=(1, 2, 2),
        num_attention_heads=2,
        attention_head_dim=12,
        in_channels=in_channels,
        out_channels=4,
        text_dim=texts.DIM,
        freq_dim=32,
        ffn_dim=32,
        num_layers=2,
        cross_attn_norm=True,
        qk_norm="rms_norm_across_heads",
        rope_max_seq_len=32,
        **more,
    )
