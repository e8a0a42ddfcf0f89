"""Stable Diffusion and SDXL of the standard architecture with weights of their classes' own initialisation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from support.tiny import autoencoders, denoisers
from support.tiny.texts import clip_text
from support.tiny.tokenizers import clip_tokenizer


def save_tiny_checkpoint(folder: Path) -> Path:
    """Save a StableDiffusionPipeline of about 100,000 parameters that makes 64x64 images; returns the folder."""
    tiny_stable_diffusion().save_pretrained(folder)
    return folder


def tiny_stable_diffusion(prediction_type: Any = "epsilon") -> Any:
    """Build a StableDiffusionPipeline of about 100,000 parameters that makes 64x64 images."""
    import torch
    from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel

    scheduler: Any = {"clip_sample": False, "set_alpha_to_one": False, "steps_offset": 1}
    tokenizer = clip_tokenizer()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        parts: dict[str, Any] = {
            "vae": AutoencoderKL(**autoencoders.STABLE_DIFFUSION),
            "text_encoder": clip_text(tokenizer, intermediate_size=64),
            "tokenizer": tokenizer,
            "unet": UNet2DConditionModel(**denoisers.STABLE_DIFFUSION),
            "scheduler": DDIMScheduler(**scheduler, prediction_type=prediction_type),
            "safety_checker": None,
            "feature_extractor": None,
        }
    return StableDiffusionPipeline(**parts, requires_safety_checker=False)


def tiny_sdxl() -> Any:
    """Build a StableDiffusionXLPipeline that makes 64x64 images."""
    import torch
    from diffusers import AutoencoderKL, EulerDiscreteScheduler, StableDiffusionXLPipeline, UNet2DConditionModel

    tokenizer = clip_tokenizer()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        parts: dict[str, Any] = {
            "vae": AutoencoderKL(**autoencoders.STABLE_DIFFUSION),
            "text_encoder": clip_text(tokenizer, intermediate_size=37),
            "text_encoder_2": clip_text(tokenizer, projection=True, intermediate_size=37),
            "tokenizer": tokenizer,
            "tokenizer_2": clip_tokenizer(),
            "unet": UNet2DConditionModel(**denoisers.SDXL),
            "scheduler": EulerDiscreteScheduler(),
        }
    return quiet(StableDiffusionXLPipeline(**parts, add_watermarker=False))


def quiet(pipe: Any) -> Any:
    """Turn a pipeline's progress bar off."""
    pipe.set_progress_bar_config(disable=True)
    return pipe
