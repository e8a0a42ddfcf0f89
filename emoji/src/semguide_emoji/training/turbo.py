"""Recipe of a LoRA for a few steps without guidance: from a step of the guided denoiser straight to where it ends.

As consistency distillation (arXiv 2310.04378, 2311.05556) it learns what `TCDScheduler` takes, but the
end of a whole trajectory is the target in the place of the model's own guess after one step: for a small denoiser
trajectories are cheap, and a fixed target is learned with far fewer of them.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import StableDiffusionPipeline, TCDScheduler
from diffusers.models.attention_processor import AttnProcessor
from peft import LoraConfig
from torch import Tensor

from semguide_emoji.training.data import Batches
from semguide_emoji.training.lora import TARGETS
from semguide_emoji.training.sheets import save_sheet
from semguide_emoji.training.text import tokenize
from semguide_emoji.training.unet import SHEET, sample

RANK = 32
STEPS = 4
"""Steps of the sample sheet, and what the LoRA is for."""
MOST_STEPS = 8
"""Steps that it is trained for, too."""
GRID = 50
"""`TCDScheduler.config.original_inference_steps`."""
PARTS = 3
"""DDIM steps of the denoiser from one trained step to the next."""
_HUBER = 1e-3


class Trajectories:
    """Batches of noisy latents, each with the step it is at and what guided DDIM makes of it in the end.

    Trajectories are drawn in pools, each of which is gone through several times, in a fresh order. Batch i is a
    function of the seed and i alone.

    Args:
        pipe: Its U-Net, without its LoRA, is the teacher.
        batches: Captions.
        guidance_scale: Of the teacher.
        size: Batches of captions in a pool.
        repeats: How often a pool is gone through.
    """

    def __init__(
        self, pipe: StableDiffusionPipeline, batches: Batches, guidance_scale: float, size: int = 8, repeats: int = 2
    ) -> None:
        self.pipe, self.batches, self.size, self.repeats = pipe, batches, size, repeats
        self.guidance_scale = guidance_scale
        self.trained = trained_steps(pipe)
        self.steps = _between(self.trained)
        self._block: int | None = None
        self._rows: tuple[Tensor, ...] = ()

    def __call__(self, index: int) -> tuple[Tensor, ...]:
        """Batch `index`: latents, steps, text encodings and ends, (batch, ...) each."""
        each = self.size * len(self.trained)
        block, place = divmod(index, each * self.repeats)
        if block != self._block:
            drawn = [self._draw(i) for i in range(block * self.size, (block + 1) * self.size)]
            self._block, self._rows = block, tuple(torch.cat(part) for part in zip(*drawn, strict=True))
        round_, turn = divmod(place, each)
        count = self.batches.batch_size
        order = np.random.default_rng((self.batches.seed, block, round_)).permutation(each * count)
        chosen = torch.from_numpy(order[turn * count : (turn + 1) * count]).to(self._rows[0].device)
        return tuple(part[chosen] for part in self._rows)

    @torch.no_grad()
    def _draw(self, index: int) -> tuple[Tensor, ...]:
        """Draw a trajectory for each caption of a batch; return its trained steps as a batch has them."""
        unet, device = self.pipe.unet, self.pipe.unet.device
        captions = self.batches.scenes(index)[1]
        empty, hidden = (encode(self.pipe, texts) for texts in ([""], captions))
        both = torch.cat([empty.expand_as(hidden), hidden])
        side, generator = unet.config["sample_size"], torch.Generator().manual_seed(self.batches.seed + index)
        z = torch.randn(len(captions), unet.config["in_channels"], side, side, generator=generator).to(device)
        found: list[Tensor] = []
        unet.disable_adapters()
        for t, following in pairwise((*self.steps, 0)):
            if t in self.trained:
                found.append(z)
            uncond, cond = predict(self.pipe, torch.cat([z, z]), torch.tensor(t, device=device), both).chunk(2)
            z = self._step(z, uncond + self.guidance_scale * (cond - uncond), t, following)
        unet.enable_adapters()
        steps = torch.tensor(self.trained, device=device).repeat_interleave(len(captions))
        times = len(self.trained)
        return torch.cat(found), steps, hidden.repeat(times, 1, 1), z.repeat(times, 1, 1, 1)

    def _step(self, z: Tensor, eps: Tensor, t: int, following: int) -> Tensor:
        """A DDIM step."""
        here, there = (torch.tensor([step], device=z.device) for step in (t, following))
        signal, noise = levels(self.pipe, there)
        return signal * clean(self.pipe, z, eps, here) + noise * eps


class TurboRecipe:
    """The pseudo-Huber distance of x_0(z, t), with the LoRA, to where z ends.

    Args:
        pipe: Its U-Net gets the LoRA.
        batches: Captions.
        guidance_scale: Of the teacher; the LoRA has it built in.
    """

    def __init__(self, pipe: StableDiffusionPipeline, batches: Batches, guidance_scale: float = 7.0) -> None:
        pipe.unet.requires_grad_(False)
        pipe.unet.add_adapter(LoraConfig(r=RANK, lora_alpha=RANK, target_modules=[*TARGETS, "conv_in", "proj_in"]))
        self.pipe = pipe
        self.model = pipe.unet.to(memory_format=torch.channels_last)
        if self.model.device.type == "cpu":  # the fused kernel's backward is slow on short sequences
            self.model.set_attn_processor(AttnProcessor())
        pipe.text_encoder.requires_grad_(False).eval()
        self.trajectories = Trajectories(pipe, batches, guidance_scale)

    def loss(self, index: int, generator: torch.Generator) -> Tensor:
        """Loss of batch `index`; it needs no noise but that of the trajectories."""
        del generator
        z, t, hidden, end = self.trajectories(index)
        found = clean(self.pipe, z, predict(self.pipe, z, t, hidden), t)
        return ((found - end).square() + _HUBER**2).sqrt().mean() - _HUBER

    def sheet(self, path: Path) -> None:
        """Single objects and pairs in four steps without guidance."""
        own: Any = self.pipe.scheduler
        self.pipe.scheduler = few_step_scheduler(self.pipe)
        save_sheet(sample(self.pipe, list(SHEET), STEPS, 1.0), path, columns=8, scale=2)
        self.pipe.scheduler = own


def few_step_scheduler(pipe: StableDiffusionPipeline) -> Any:
    """The scheduler that the LoRA is made for."""
    return TCDScheduler.from_config(pipe.scheduler.config, original_inference_steps=GRID)


def trained_steps(pipe: StableDiffusionPipeline) -> tuple[int, ...]:
    """The steps of the scheduler that are trained, from noise on: those of 4 and of 8."""
    scheduler, found = few_step_scheduler(pipe), set[int]()
    for count in (STEPS, MOST_STEPS):
        scheduler.set_timesteps(count)
        found |= set(scheduler.timesteps.tolist())
    return tuple(sorted(found, reverse=True))


def _between(trained: tuple[int, ...]) -> tuple[int, ...]:
    """The steps of a trajectory: `PARTS` from each trained one to the next."""
    return tuple(
        round(here + (there - here) * part / PARTS) for here, there in pairwise((*trained, 0)) for part in range(PARTS)
    )


def encode(pipe: StableDiffusionPipeline, texts: list[str]) -> Tensor:
    """Text encodings, (text, token, width)."""
    return pipe.text_encoder(tokenize(pipe.tokenizer, texts, pipe.text_encoder.device))[0]


def predict(pipe: StableDiffusionPipeline, z: Tensor, t: Tensor, hidden: Tensor) -> Tensor:
    """What the U-Net predicts, eps."""
    return pipe.unet(z.to(memory_format=torch.channels_last), t, hidden, return_dict=False)[0].float()


def clean(pipe: StableDiffusionPipeline, z: Tensor, eps: Tensor, t: Tensor) -> Tensor:
    """x_0 of a prediction."""
    signal, noise = levels(pipe, t)
    return (z - noise * eps) / signal


def levels(pipe: StableDiffusionPipeline, t: Tensor) -> tuple[Tensor, Tensor]:
    """Sizes of signal and noise at timesteps, each (batch, 1, 1, 1)."""
    alpha = pipe.scheduler.alphas_cumprod.to(t.device)[t].reshape(-1, 1, 1, 1)
    return alpha.sqrt(), (1 - alpha).sqrt()
