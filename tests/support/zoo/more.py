"""Tiny pipelines of families that are less used: Kolors, CogView3-Plus, Chroma, Nucleus-Image and Ovis-Image."""

from __future__ import annotations

from typing import Any, cast

import pytest

from support.guiders.models_qwen3 import qwen3_vl
from support.guiders.processors import Processor
from support.tiny_pipelines import quiet, tiny_sdxl
from support.zoo import autoencoders, texts
from support.zoo.decoders import _CHAT
from support.zoo.flow import qwen_tokenizer
from support.zoo.tokenizers import Positions, byte_tokenizer, word_tokenizer
from support.zoo.weights import benign


def kolors() -> Any:
    """Build a KolorsPipeline: an SDXL whose text encoder is a ChatGLM."""
    pytest.importorskip("sentencepiece", reason="diffusers has Kolors with sentencepiece only")
    from diffusers import KolorsPipeline, UNet2DConditionModel

    parts = tiny_sdxl().components
    tokenizer = byte_tokenizer()
    config = {key: value for key, value in parts["unet"].config.items() if not key.startswith("_")}
    unet = UNet2DConditionModel(**{**config, "encoder_hid_dim": texts.DIM, "encoder_hid_dim_type": "text_proj"})
    return quiet(
        KolorsPipeline(
            unet=benign(unet, 600),
            vae=benign(parts["vae"], 601),
            scheduler=parts["scheduler"],
            text_encoder=texts.chat_glm(tokenizer, 602),
            tokenizer=cast("Any", Positions(tokenizer)),
        )
    )


def cogview3() -> Any:
    """Build a CogView3PlusPipeline, which predicts v."""
    from diffusers import CogVideoXDDIMScheduler, CogView3PlusPipeline, CogView3PlusTransformer2DModel

    transformer = CogView3PlusTransformer2DModel(
        patch_size=2,
        in_channels=4,
        out_channels=4,
        num_layers=2,
        attention_head_dim=8,
        num_attention_heads=4,
        text_embed_dim=texts.DIM,
        time_embed_dim=8,
        condition_dim=4,
        pos_embed_max_size=8,
        sample_size=8,
    )
    tokenizer = byte_tokenizer()
    scheduler = CogVideoXDDIMScheduler(
        prediction_type="v_prediction", rescale_betas_zero_snr=True, timestep_spacing="trailing"
    )
    return quiet(
        CogView3PlusPipeline(
            transformer=benign(transformer, 610),
            vae=autoencoders.kl(4),
            scheduler=cast("Any", scheduler),
            text_encoder=texts.t5(tokenizer, 611),
            tokenizer=tokenizer,
        )
    )


def chroma() -> Any:
    """Build a ChromaPipeline for 16x16 images."""
    from diffusers import ChromaPipeline, ChromaTransformer2DModel, FlowMatchEulerDiscreteScheduler

    transformer = ChromaTransformer2DModel(
        patch_size=1,
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=texts.DIM,
        axes_dims_rope=(4, 4, 8),
        approximator_num_channels=8,
        approximator_hidden_dim=16,
        approximator_layers=1,
    )
    tokenizer = byte_tokenizer()
    return quiet(
        ChromaPipeline(
            transformer=benign(transformer, 620),
            scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
            vae=autoencoders.kl(4),
            text_encoder=texts.t5(tokenizer, 621),
            tokenizer=tokenizer,
        )
    )


def chroma_inpaint() -> Any:
    """Build a ChromaInpaintPipeline, which asks for an entry that only the config of a loaded checkpoint can have."""
    from diffusers import ChromaInpaintPipeline

    pipe = chroma()
    pipe.transformer.register_to_config(guidance_embeds=False)
    return quiet(ChromaInpaintPipeline(**pipe.components))


def nucleus_image() -> Any:
    """Build a NucleusMoEImagePipeline for 32x32 images, whose second layer is a mixture of experts."""
    from diffusers import FlowMatchEulerDiscreteScheduler, NucleusMoEImagePipeline, NucleusMoEImageTransformer2DModel

    transformer = NucleusMoEImageTransformer2DModel(
        in_channels=16,
        out_channels=4,
        num_layers=2,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=16,
        axes_dims_rope=(8, 4, 4),
        mlp_ratio=8.0,  # smaller ones make layers of width 0
        dense_moe_strategy="leave_first_block_dense",
        num_experts=4,
        moe_intermediate_dim=16,
        capacity_factors=2.0,
    )
    tokenizer = qwen_tokenizer()
    return quiet(
        NucleusMoEImagePipeline(
            transformer=benign(transformer, 640),
            scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
            vae=autoencoders.qwen(4),
            text_encoder=qwen3_vl(tokenizer, 641),
            processor=cast("Any", Processor(tokenizer)),
        )
    )


def ovis_image() -> Any:
    """Build an OvisImagePipeline for 16x16 images; its tokenizer has words of the system prompt."""
    from diffusers import FlowMatchEulerDiscreteScheduler, OvisImagePipeline, OvisImageTransformer2DModel

    transformer = OvisImageTransformer2DModel(
        patch_size=1,
        in_channels=16,
        out_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=texts.DIM,
        axes_dims_rope=(4, 4, 8),
    )
    known = (
        "user\nassistant\nDescribe the image by detailing the color, quantity, text, shape, size, texture, spatial "
        "relationships of the objects and background: "
    )
    special = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
    tokenizer = word_tokenizer(known, special, chat_template=_CHAT)
    return quiet(
        OvisImagePipeline(
            transformer=benign(transformer, 630),
            scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
            vae=autoencoders.kl(4),
            text_encoder=texts.qwen3(tokenizer, 631),
            tokenizer=tokenizer,
        )
    )
