"""Tiny pipelines whose text encoder is a language model: Lumina 2, CogView4, Z-Image and HunyuanImage."""

from __future__ import annotations

from typing import Any

from support.tiny_pipelines import quiet
from support.zoo import autoencoders, texts
from support.zoo.flow import qwen_tokenizer
from support.zoo.tokenizers import byte_tokenizer, word_tokenizer
from support.zoo.weights import benign

_CHAT = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def lumina2() -> Any:
    """Build a Lumina2Pipeline; its tokenizer has words of the system prompt."""
    from diffusers import FlowMatchEulerDiscreteScheduler, Lumina2Pipeline, Lumina2Transformer2DModel

    transformer = Lumina2Transformer2DModel(
        sample_size=4,
        patch_size=2,
        in_channels=4,
        hidden_size=24,
        num_layers=2,
        num_refiner_layers=1,
        num_attention_heads=2,
        num_kv_heads=1,
        multiple_of=16,
        axes_dim_rope=(4, 4, 4),
        axes_lens=(256, 16, 16),
        cap_feat_dim=texts.DIM,
    )
    tokenizer = word_tokenizer(
        "You are an assistant designed to generate superior images with the superior degree of image-text alignment "
        "based on textual prompts or user prompts. <Prompt Start> ",
        ("<pad>", "<bos>", "<eos>"),
        bos_token="<bos>",
    )
    return quiet(
        Lumina2Pipeline(
            transformer=benign(transformer, 90),
            vae=autoencoders.kl(4),
            scheduler=FlowMatchEulerDiscreteScheduler(shift=6.0),
            text_encoder=texts.gemma(tokenizer, 91),
            tokenizer=tokenizer,
        )
    )


def cogview4() -> Any:
    """Build a CogView4Pipeline."""
    from diffusers import CogView4Pipeline, CogView4Transformer2DModel, FlowMatchEulerDiscreteScheduler

    transformer = CogView4Transformer2DModel(
        patch_size=2,
        in_channels=4,
        out_channels=4,
        num_layers=2,
        attention_head_dim=8,
        num_attention_heads=4,
        text_embed_dim=texts.DIM,
        time_embed_dim=8,
        condition_dim=4,
    )
    tokenizer = byte_tokenizer()
    tokenizer.padding_side = "left"
    scheduler = FlowMatchEulerDiscreteScheduler(
        base_shift=0.25, max_shift=0.75, use_dynamic_shifting=True, time_shift_type="linear"
    )
    return quiet(
        CogView4Pipeline(
            transformer=benign(transformer, 100),
            vae=autoencoders.kl(4),
            scheduler=scheduler,
            text_encoder=texts.glm(tokenizer, 101),
            tokenizer=tokenizer,
        )
    )


def z_image() -> Any:
    """Build a ZImagePipeline, which calls its transformer with lists."""
    from diffusers import FlowMatchEulerDiscreteScheduler, ZImagePipeline, ZImageTransformer2DModel

    transformer = ZImageTransformer2DModel(
        all_patch_size=(2,),
        all_f_patch_size=(1,),
        in_channels=4,
        dim=32,
        n_layers=2,
        n_refiner_layers=1,
        n_heads=2,
        n_kv_heads=2,
        cap_feat_dim=texts.DIM,
        axes_dims=[8, 4, 4],
        axes_lens=[256, 32, 32],
    )
    special = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
    tokenizer = word_tokenizer("user\nassistant\n", special, chat_template=_CHAT)
    return quiet(
        ZImagePipeline(
            transformer=benign(transformer, 110),
            vae=autoencoders.kl(4),
            scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
            text_encoder=texts.qwen3(tokenizer, 111),
            tokenizer=tokenizer,
        )
    )


def hunyuan_image() -> Any:
    """Build a HunyuanImagePipeline, whose guidance is a guider of diffusers."""
    from diffusers import (
        ClassifierFreeGuidance,
        FlowMatchEulerDiscreteScheduler,
        HunyuanImagePipeline,
        HunyuanImageTransformer2DModel,
    )

    transformer = HunyuanImageTransformer2DModel(
        in_channels=4,
        out_channels=4,
        num_attention_heads=4,
        attention_head_dim=8,
        num_layers=1,
        num_single_layers=1,
        num_refiner_layers=1,
        text_embed_dim=16,
        text_embed_2_dim=texts.DIM,
        rope_axes_dim=(4, 4),
    )
    first, second = qwen_tokenizer(), byte_tokenizer()
    guiders: dict[str, Any] = {key: ClassifierFreeGuidance(guidance_scale=4.0) for key in ("guider", "ocr_guider")}
    pipe = HunyuanImagePipeline(
        transformer=benign(transformer, 120),
        vae=autoencoders.hunyuan(4),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=5.0),
        text_encoder=texts.qwen_vl(first, 121, layers=3),
        tokenizer=first,
        text_encoder_2=texts.t5(second, 122),
        tokenizer_2=second,
        **guiders,
    )
    pipe.tokenizer_max_length = 64  # every prompt is padded to it
    return quiet(pipe)
