"""LoRAs of the tiny checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from semguide.models import load


def tiny_lora(checkpoint: Path, folder: Path) -> Path:
    """Write a LoRA as diffusers saves it, whose update is not zero; returns its file.

    Args:
        checkpoint: A Stable Diffusion.
        folder: Where to.
    """
    from diffusers import StableDiffusionPipeline
    from peft import LoraConfig, get_peft_model_state_dict

    pipe = load(str(checkpoint), "cpu")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        pipe.unet.add_adapter(LoraConfig(r=2, lora_alpha=2, init_lora_weights=False, target_modules=["to_q", "to_v"]))
    layers: Any = get_peft_model_state_dict(pipe.unet)
    StableDiffusionPipeline.save_lora_weights(folder, unet_lora_layers=layers)
    return folder / "pytorch_lora_weights.safetensors"
