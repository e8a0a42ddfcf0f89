"""Tiny components of modular pipelines whose text encoder is a Qwen3: Anima, Krea 2, FLUX.3 and Qwen-Image 2.1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from support.guiders.processors import Processor
from support.zoo import autoencoders, texts
from support.zoo.flow import qwen_tokenizer
from support.zoo.tokenizers import byte_tokenizer
from support.zoo.weights import benign

WIDTH = 16


def anima() -> Mapping[str, Any]:
    """Return Anima's components: Qwen3's states are read by a conditioner that also reads T5's tokens."""
    from diffusers import AnimaTextConditioner, CosmosTransformer3DModel, FlowMatchEulerDiscreteScheduler

    transformer = CosmosTransformer3DModel(
        in_channels=4,
        out_channels=4,
        num_attention_heads=2,
        attention_head_dim=16,
        num_layers=2,
        mlp_ratio=2,
        text_embed_dim=WIDTH,
        adaln_lora_dim=4,
        max_size=(4, 16, 16),
        concat_padding_mask=False,  # scaling the mask takes torchvision; it is all zeros
        extra_pos_embed_type=None,
    )
    first, second = byte_tokenizer(), byte_tokenizer()
    conditioner = AnimaTextConditioner(
        source_dim=texts.DIM,
        target_dim=WIDTH,
        model_dim=WIDTH,
        num_layers=1,
        num_attention_heads=2,
        target_vocab_size=len(second),
        min_sequence_length=32,
    )
    return {
        "transformer": benign(transformer, 300),
        "scheduler": FlowMatchEulerDiscreteScheduler(shift=3.0),
        "text_encoder": texts.qwen3(first, 301),
        "tokenizer": first,
        "t5_tokenizer": second,
        "text_conditioner": benign(conditioner, 302),
        "vae": autoencoders.qwen(4),
    }


def krea2() -> Mapping[str, Any]:
    """Return Krea 2's components; twelve layers of the text encoder are read, up to the 35th."""
    from diffusers import FlowMatchEulerDiscreteScheduler, Krea2Transformer2DModel

    transformer = Krea2Transformer2DModel(
        in_channels=16,
        num_layers=2,
        attention_head_dim=16,
        num_attention_heads=2,
        num_key_value_heads=1,
        intermediate_size=32,
        timestep_embed_dim=16,
        text_hidden_dim=WIDTH,
        text_num_attention_heads=2,
        text_num_key_value_heads=2,
        text_intermediate_size=WIDTH,
        num_layerwise_text_blocks=1,
        num_refiner_text_blocks=1,
        axes_dims_rope=(8, 4, 4),
    )
    tokenizer = qwen_tokenizer()
    return {
        "transformer": benign(transformer, 310),
        "scheduler": FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
        "text_encoder": qwen3_vl(tokenizer, 311, layers=35).model,
        "tokenizer": tokenizer,
        "vae": autoencoders.qwen(4),
    }


def flux3() -> Mapping[str, Any]:
    """Return FLUX.3's components, without the model that rewrites prompts."""
    from diffusers import FlowMatchEulerDiscreteScheduler, Flux3Transformer2DModel

    from support.guiders.models import flux2_vae

    transformer = Flux3Transformer2DModel(
        in_channels=16,
        cond_in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=2 * WIDTH,
        timestep_channels=16,
        axes_dims_rope=(4, 4, 4, 4),
    )
    tokenizer = qwen_tokenizer()
    return {
        "transformer": benign(transformer, 320),
        "scheduler": FlowMatchEulerDiscreteScheduler(shift=3.0),
        "text_encoder": qwen3_vl(tokenizer, 321),
        "tokenizer": Processor(tokenizer),
        "vae": flux2_vae(),
    }


def qwen_image_2_1() -> Mapping[str, Any]:
    """Return Qwen-Image 2.1's components."""
    from diffusers import AutoencoderKLQwenImage21, FlowMatchEulerDiscreteScheduler, QwenImage21Transformer2DModel

    transformer = QwenImage21Transformer2DModel(
        in_channels=4,
        out_channels=4,
        num_layers=2,
        attention_head_dim=16,
        num_attention_heads=2,
        context_in_dim=WIDTH,
        axes_dims_rope=(8, 4, 4),
    )
    tokenizer = qwen_tokenizer()
    vae = AutoencoderKLQwenImage21(
        base_dim=4,
        decoder_base_dim=4,
        z_dim=4,
        dim_mult=[1, 1, 1],
        num_res_blocks=1,
        temperal_downsample=[False, True],
        latents_mean=[0.0] * 4,
        latents_std=[1.0] * 4,
    )
    return {
        "transformer": benign(transformer, 330),
        "scheduler": FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
        "text_encoder": qwen3_vl(tokenizer, 331),
        "processor": Processor(tokenizer),
        "vae": benign(vae, 332),
    }


def qwen3_vl(tokenizer: Any, seed: int, layers: int = 2) -> Any:
    """Build a Qwen3-VL of width 16."""
    from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

    text = {
        "vocab_size": len(tokenizer),
        "hidden_size": WIDTH,
        "intermediate_size": WIDTH,
        "num_hidden_layers": layers,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 1, 1]},
    }
    vision = {"depth": 1, "hidden_size": 16, "intermediate_size": 16, "num_heads": 2, "out_hidden_size": WIDTH}
    ids: dict[str, Any] = {name: len(tokenizer) - 1 for name in ("image_token_id", "video_token_id")}
    vision_config: Any = {**vision, "deepstack_visual_indexes": []}
    return benign(
        Qwen3VLForConditionalGeneration(Qwen3VLConfig(text_config=text, vision_config=vision_config, **ids)), seed
    )
