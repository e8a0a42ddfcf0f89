"""Tiny components of modular pipelines that have no tiny ordinary pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from support.zoo import texts
from support.zoo.decoders import _CHAT
from support.zoo.tokenizers import byte_tokenizer, word_tokenizer
from support.zoo.weights import benign


def ltx() -> Mapping[str, Any]:
    """Return LTX-Video's components."""
    from diffusers import FlowMatchEulerDiscreteScheduler, LTXVideoTransformer3DModel

    transformer = LTXVideoTransformer3DModel(
        in_channels=4,
        out_channels=4,
        patch_size=1,
        patch_size_t=1,
        num_attention_heads=2,
        attention_head_dim=8,
        cross_attention_dim=16,
        num_layers=2,
        caption_channels=texts.DIM,
    )
    tokenizer = byte_tokenizer()
    return {
        "transformer": benign(transformer, 200),
        "scheduler": FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
        "text_encoder": texts.t5(tokenizer, 201),
        "tokenizer": tokenizer,
        "vae": _ltx_vae(),
    }


def _ltx_vae() -> Any:
    from diffusers import AutoencoderKLLTXVideo

    vae = AutoencoderKLLTXVideo(
        latent_channels=4,
        block_out_channels=(8, 8, 8, 8),
        decoder_block_out_channels=(8, 8, 8, 8),
        layers_per_block=(1,) * 5,
        decoder_layers_per_block=(1,) * 5,
        spatio_temporal_scaling=(True, True, False, False),
        decoder_spatio_temporal_scaling=(True, True, False, False),
        decoder_inject_noise=(False,) * 5,
        upsample_residual=(False,) * 4,
        upsample_factor=(1,) * 4,
        patch_size=1,
        patch_size_t=1,
    )
    return benign(vae, 202)


def flux2_klein() -> Mapping[str, Any]:
    """Return FLUX.2 [klein] base's components."""
    from diffusers import FlowMatchEulerDiscreteScheduler, Flux2Transformer2DModel

    transformer = Flux2Transformer2DModel(
        patch_size=1,
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=3 * texts.DIM,
        timestep_guidance_channels=16,
        axes_dims_rope=(4, 4, 4, 4),
        guidance_embeds=False,
    )
    tokenizer = _qwen3_tokenizer()
    return {
        "transformer": benign(transformer, 210),
        "scheduler": FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
        "text_encoder": _qwen3_causal(tokenizer, 211),
        "tokenizer": tokenizer,
        "vae": flux2_vae(),
    }


def flux2_vae() -> Any:
    from diffusers import AutoencoderKLFlux2

    vae = AutoencoderKLFlux2(
        block_out_channels=(4,),
        down_block_types=("DownEncoderBlock2D",),
        up_block_types=("UpDecoderBlock2D",),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=1,
        sample_size=32,
    )
    return benign(vae, 212)


def _qwen3_tokenizer() -> Any:
    special = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
    return word_tokenizer("user\nassistant\n", special, chat_template=_CHAT)


def _qwen3_causal(tokenizer: Any, seed: int) -> Any:
    from transformers import Qwen3Config, Qwen3ForCausalLM

    return benign(Qwen3ForCausalLM(texts._decoder(Qwen3Config, tokenizer)), seed)


def ernie() -> Mapping[str, Any]:
    """Return ERNIE-Image's components."""
    from diffusers import ErnieImageTransformer2DModel, FlowMatchEulerDiscreteScheduler

    transformer = ErnieImageTransformer2DModel(
        hidden_size=32,
        num_attention_heads=2,
        num_layers=1,
        ffn_hidden_size=32,
        in_channels=16,
        out_channels=16,
        text_in_dim=texts.DIM,
        rope_axes_dim=(4, 6, 6),
    )
    tokenizer = byte_tokenizer()
    return {
        "transformer": benign(transformer, 230),
        "scheduler": FlowMatchEulerDiscreteScheduler(shift=3.0),
        "text_encoder": texts.qwen3(tokenizer, 231),
        "tokenizer": tokenizer,
        "vae": flux2_vae(),
    }
