"""Tiny pipelines that call their transformer once a step with [uncond; cond] rows: PixArt, Sana, AuraFlow, HiDream."""

from __future__ import annotations

import inspect
from typing import Any

from support.tiny_checkpoint import tiny_tokenizer
from support.tiny_pipelines import quiet
from support.zoo import autoencoders, texts
from support.zoo.flow import FLOW
from support.zoo.tokenizers import byte_tokenizer, word_tokenizer
from support.zoo.weights import benign


def pixart_alpha() -> Any:
    """Build a PixArtAlphaPipeline, whose transformer also predicts sigma and reads resolution and aspect ratio."""
    from diffusers import PixArtAlphaPipeline

    return _pixart(PixArtAlphaPipeline, additional=True)


def pixart_sigma() -> Any:
    """Build a PixArtSigmaPipeline, whose transformer also predicts sigma."""
    from diffusers import PixArtSigmaPipeline

    return _pixart(PixArtSigmaPipeline, additional=False)


def _pixart(kind: Any, *, additional: bool) -> Any:
    from diffusers import DDIMScheduler, PixArtTransformer2DModel

    transformer = PixArtTransformer2DModel(
        sample_size=128 if additional else 8,  # the pipeline gives the conditions to this size only
        num_layers=2,
        attention_head_dim=8,
        num_attention_heads=3,
        caption_channels=texts.DIM,
        in_channels=4,
        cross_attention_dim=24,
        out_channels=8,
        use_additional_conditions=additional,
    )
    tokenizer = byte_tokenizer()
    return quiet(
        kind(
            transformer=benign(transformer, 50),
            vae=autoencoders.kl(4),
            scheduler=DDIMScheduler(clip_sample=False),
            text_encoder=texts.t5(tokenizer, 51),
            tokenizer=tokenizer,
        )
    )


def sana() -> Any:
    """Build a SanaPipeline; its tokenizer has words of the long instruction that comes before each prompt."""
    from diffusers import DPMSolverMultistepScheduler, SanaPipeline, SanaTransformer2DModel

    transformer = SanaTransformer2DModel(
        patch_size=1,
        in_channels=4,
        out_channels=4,
        num_layers=2,
        num_attention_heads=2,
        attention_head_dim=8,
        num_cross_attention_heads=2,
        cross_attention_head_dim=8,
        cross_attention_dim=16,
        caption_channels=texts.DIM,
        sample_size=8,
    )
    instruction = inspect.signature(SanaPipeline.__call__).parameters["complex_human_instruction"].default
    tokenizer = word_tokenizer("\n".join(instruction), ("<pad>", "<bos>", "<eos>"), bos_token="<bos>")
    return quiet(
        SanaPipeline(
            transformer=benign(transformer, 60),
            vae=autoencoders.deep_compression(4),
            scheduler=DPMSolverMultistepScheduler(**FLOW),
            text_encoder=texts.gemma(tokenizer, 61),
            tokenizer=tokenizer,
        )
    )


def aura_flow() -> Any:
    """Build an AuraFlowPipeline."""
    from diffusers import AuraFlowPipeline, AuraFlowTransformer2DModel, FlowMatchEulerDiscreteScheduler

    transformer = AuraFlowTransformer2DModel(
        sample_size=8,
        patch_size=2,
        in_channels=4,
        out_channels=4,
        num_mmdit_layers=1,
        num_single_dit_layers=1,
        attention_head_dim=8,
        num_attention_heads=4,
        caption_projection_dim=32,
        joint_attention_dim=texts.DIM,
        pos_embed_max_size=16,
    )
    tokenizer = byte_tokenizer()
    return quiet(
        AuraFlowPipeline(
            transformer=benign(transformer, 70),
            vae=autoencoders.kl(4),
            scheduler=FlowMatchEulerDiscreteScheduler(shift=1.7),
            text_encoder=texts.umt5(tokenizer, 71),
            tokenizer=tokenizer,
        )
    )


def hidream() -> Any:
    """Build a HiDreamImagePipeline with its four text encoders."""
    from diffusers import FlowMatchEulerDiscreteScheduler, HiDreamImagePipeline, HiDreamImageTransformer2DModel

    layers: dict[str, Any] = {"axes_dims_rope": (4, 2, 2), "llama_layers": (0, 1)}
    transformer = HiDreamImageTransformer2DModel(
        patch_size=2,
        in_channels=4,
        out_channels=4,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=8,
        num_attention_heads=4,
        caption_channels=[texts.DIM, texts.DIM],
        text_emb_dim=2 * texts.DIM,
        num_routed_experts=4,
        num_activated_experts=2,
        max_resolution=(16, 16),
        **layers,
    )
    first, third = tiny_tokenizer(), byte_tokenizer()
    fourth = byte_tokenizer()
    pipe = HiDreamImagePipeline(
        transformer=benign(transformer, 80),
        vae=autoencoders.kl(4),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
        text_encoder=texts.clip(first, 81, projection=True),
        tokenizer=first,
        text_encoder_2=texts.clip(first, 82, projection=True),
        tokenizer_2=tiny_tokenizer(),
        text_encoder_3=texts.t5(third, 83),
        tokenizer_3=third,
        text_encoder_4=texts.llama(fourth, 84),
        tokenizer_4=fourth,
    )
    pipe.default_sample_size = 8  # every image is scaled to its area
    return quiet(pipe)
