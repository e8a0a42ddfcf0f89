"""Tiny Stable Diffusion and SDXL with benign weights."""

from __future__ import annotations

from typing import Any

from adapters.tiny_pipelines import quiet, tiny_sdxl
from adapters.zoo.weights import benign
from models.tiny_checkpoint import tiny_stable_diffusion


def sd() -> Any:
    """Build a StableDiffusionPipeline that predicts eps."""
    return quiet(_benign(tiny_stable_diffusion()))


def sd_v() -> Any:
    """Build a StableDiffusionPipeline that predicts v."""
    return quiet(_benign(tiny_stable_diffusion("v_prediction")))


def sd_inpaint() -> Any:
    """Build a StableDiffusionInpaintPipeline whose U-Net also reads mask and masked image."""
    from diffusers import StableDiffusionInpaintPipeline, UNet2DConditionModel

    parts = dict(sd().components)
    config = {**parts["unet"].config, "in_channels": 9}
    parts["unet"] = benign(UNet2DConditionModel.from_config(config), 3)
    return quiet(StableDiffusionInpaintPipeline(**parts, requires_safety_checker=False))


def sdxl() -> Any:
    """Build a StableDiffusionXLPipeline."""
    return _benign(tiny_sdxl())


def _benign(pipe: Any) -> Any:
    for seed, name in enumerate(("unet", "vae", "text_encoder", "text_encoder_2")):
        if getattr(pipe, name, None) is not None:
            benign(getattr(pipe, name), seed)
    return pipe
