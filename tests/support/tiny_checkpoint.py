"""A Stable Diffusion of the standard architecture with random weights, small enough to make in a test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_VAE: dict[str, Any] = {
    "block_out_channels": (8, 8, 8, 8),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "norm_num_groups": 4,
    "latent_channels": 4,
    "sample_size": 64,
}
_UNET: dict[str, Any] = {
    "sample_size": 8,
    "block_out_channels": (16, 32),
    "layers_per_block": 1,
    "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
    "cross_attention_dim": 32,
    "norm_num_groups": 8,
    "attention_head_dim": 8,
}


def save_tiny_checkpoint(folder: Path) -> Path:
    """Save a StableDiffusionPipeline of about 100,000 parameters that makes 64x64 images; returns the folder."""
    tiny_stable_diffusion().save_pretrained(folder)
    return folder


def tiny_stable_diffusion(prediction_type: Any = "epsilon") -> Any:
    """Build a StableDiffusionPipeline of about 100,000 parameters that makes 64x64 images."""
    import torch
    from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
    from transformers import CLIPTextModel

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        tokenizer = tiny_tokenizer()
        parts: dict[str, Any] = {
            "vae": AutoencoderKL(**_VAE),
            "text_encoder": CLIPTextModel(_text_config(len(tokenizer))),
            "tokenizer": tokenizer,
            "unet": UNet2DConditionModel(**_UNET),
            "scheduler": DDIMScheduler(
                clip_sample=False, set_alpha_to_one=False, steps_offset=1, prediction_type=prediction_type
            ),
            "safety_checker": None,
            "feature_extractor": None,
        }
        return StableDiffusionPipeline(**parts, requires_safety_checker=False)


def tiny_tokenizer() -> Any:
    """Build a CLIP tokenizer that knows single bytes only."""
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import CLIPTokenizer

    characters = sorted(ByteLevel.alphabet())
    words = [*characters, *(f"{character}</w>" for character in characters), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {word: number for number, word in enumerate(words)}
    return CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77)


def _text_config(vocabulary: int) -> Any:
    from transformers import CLIPTextConfig

    return CLIPTextConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=77,
        bos_token_id=vocabulary - 2,
        eos_token_id=vocabulary - 1,
        pad_token_id=vocabulary - 1,
    )
