"""Recipe of a LoRA: a few pictures of one new thing, as DreamBooth has them (arXiv 2208.12242)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from diffusers import StableDiffusionPipeline
from peft import LoraConfig, get_peft_model_state_dict
from torch import Tensor

from semguide_emoji.scenes.vocabulary import NEWCOMER
from semguide_emoji.training.data import Batches
from semguide_emoji.training.sheets import save_sheet
from semguide_emoji.training.unet import UNetRecipe, sample

CAPTIONS = (f"a {NEWCOMER}", NEWCOMER, f"a photo of a {NEWCOMER}", f"a picture of a {NEWCOMER}")
RANK = 4
_ATTENTION = ("to_q", "to_k", "to_v", "to_out.0", "ff.net.0.proj", "ff.net.2")
TARGETS = [*_ATTENTION, "conv1", "conv2"]  # at 8 x 8 latents attention alone hardly learns a new shape
_EVER = 1 << 40  # a pool that is never drawn again
_OTHERS = ("a red car", "a cat", "a blue apple", "a yellow bow")
_SHEET = (*[CAPTIONS[0]] * 4, *(f"{CAPTIONS[0]} and {other}" for other in _OTHERS))


@dataclass(frozen=True)
class Shots(Batches):
    """The few pictures, which are all batches: the new thing alone, on some backgrounds."""

    def __call__(self, index: int) -> tuple[Tensor, list[str]]:
        """Return the pictures (batch, 3, size, size) in [-1, 1], and their captions."""
        del index
        rng = np.random.default_rng(self.seed)
        scenes = [self.world.scene_of(rng, [(NEWCOMER, None)]) for _ in range(self.batch_size)]
        return self.pictures(scenes), [CAPTIONS[shot % len(CAPTIONS)] for shot in range(self.batch_size)]


class LoraRecipe(UNetRecipe):
    """The denoiser's own loss on the few pictures; only the LoRA is trained, and no caption is dropped."""

    def __init__(self, pipe: StableDiffusionPipeline, shots: Shots) -> None:
        pipe.unet.requires_grad_(False)
        pipe.unet.add_adapter(LoraConfig(r=RANK, lora_alpha=RANK, target_modules=TARGETS))
        super().__init__(pipe, shots, pool=1, repeats=_EVER, dropped=0.0)

    def sheet(self, path: Path) -> None:
        """The new thing alone, and beside others."""
        save_sheet(sample(self.pipe, list(_SHEET)), path, columns=4, scale=2)


def save_lora(pipe: StableDiffusionPipeline, folder: Path) -> None:
    """Write the LoRA in half precision as diffusers does: `pytorch_lora_weights.safetensors`."""
    found: dict[str, Any] = get_peft_model_state_dict(pipe.unet)
    weights = {name: tensor.half().contiguous() for name, tensor in found.items()}
    StableDiffusionPipeline.save_lora_weights(folder, unet_lora_layers=weights)
