"""Tiny pipelines with random weights, and how the tests run them."""

from __future__ import annotations

import copy
from typing import Any

import torch

from support.tiny_checkpoint import tiny_tokenizer

STEPS = 3
PROMPT = "a red book and a yellow vase"
CONCEPTS = ["a red book", "a yellow vase"]

_TEXT: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 37,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 77,
    "projection_dim": 32,
}
_UNET: dict[str, Any] = {
    "sample_size": 8,
    "block_out_channels": (16, 32),
    "layers_per_block": 1,
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
    "attention_head_dim": (2, 4),
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 8,
    "transformer_layers_per_block": (1, 2),
    "projection_class_embeddings_input_dim": 80,  # 6 * 8 + 32
    "cross_attention_dim": 64,
    "norm_num_groups": 8,
}
_VAE: dict[str, Any] = {
    "block_out_channels": (8, 8, 8, 8),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "norm_num_groups": 4,
    "latent_channels": 4,
    "sample_size": 64,
}


def tiny_sdxl() -> Any:
    """Build a StableDiffusionXLPipeline that makes 64x64 images."""
    from diffusers import AutoencoderKL, EulerDiscreteScheduler, StableDiffusionXLPipeline, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        tokenizer = tiny_tokenizer()
        end = tokenizer.eos_token_id
        ids: dict[str, Any] = {"bos_token_id": end - 1, "eos_token_id": end, "pad_token_id": end}
        parts: dict[str, Any] = {
            "vae": AutoencoderKL(**_VAE),
            "text_encoder": CLIPTextModel(CLIPTextConfig(**_TEXT, vocab_size=end + 1, **ids)),
            "text_encoder_2": CLIPTextModelWithProjection(CLIPTextConfig(**_TEXT, vocab_size=end + 1, **ids)),
            "tokenizer": tokenizer,
            "tokenizer_2": tiny_tokenizer(),
            "unet": UNet2DConditionModel(**_UNET),
            "scheduler": EulerDiscreteScheduler(),
        }
        return quiet(StableDiffusionXLPipeline(**parts, add_watermarker=False))


def quiet(pipe: Any) -> Any:
    """Turn a pipeline's progress bar off."""
    pipe.set_progress_bar_config(disable=True)
    return pipe


def fresh(pipe: Any, *, deep: bool = False) -> Any:
    """Return a pipeline of its own with the same parts; copies of them where a test changes them."""
    parts = {name: copy.deepcopy(part) if deep else part for name, part in pipe.components.items()}
    parts["scheduler"] = copy.deepcopy(pipe.scheduler)
    extra = {"requires_safety_checker": False} if "safety_checker" in pipe.components else {}
    return quiet(type(pipe)(**parts, **extra))


def noise(seed: int = 0) -> torch.Generator:
    """Return a generator."""
    return torch.Generator().manual_seed(seed)


def call(pipe: Any, prompt: Any = PROMPT, **arguments: Any) -> torch.Tensor:
    """Return the latents that a pipeline, steered or not, makes in a few steps."""
    given = {"num_inference_steps": STEPS, "generator": noise(), "output_type": "latent", **arguments}
    return pipe(prompt, **given).images
