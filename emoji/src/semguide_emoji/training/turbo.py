"""Recipe of a LoRA for a few steps without guidance: latent consistency distillation (arXiv 2310.04378, 2311.05556)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers import LCMScheduler, StableDiffusionPipeline
from peft import LoraConfig
from torch import Tensor

from semguide_emoji.training.data import Batches
from semguide_emoji.training.lora import TARGETS
from semguide_emoji.training.sheets import save_sheet
from semguide_emoji.training.unet import SHEET, UNetRecipe, sample

RANK = 32
STEPS = 4
"""Steps of the sample sheet, and what the LoRA is for."""
GRID = 50
"""Steps of the teacher's solver, and so of `LCMScheduler.config.original_inference_steps`."""
_SIGMA_DATA, _TIMESTEP_SCALING = 0.5, 10.0  # as LCMScheduler has them
_HUBER = 1e-3


class TurboRecipe(UNetRecipe):
    """One step of guided DDIM by the denoiser must not change what the LoRA makes of the latents.

    With f(z, t) = c_skip(t) z + c_out(t) x_0(z, t) of the denoiser with the LoRA and without guidance, z noised latents
    at a step t of 50, and z' what a DDIM step of the denoiser alone, guided by `guidance_scale`, makes of them at t':
    the loss is the pseudo-Huber distance of f(z, t) and f(z', t'), the latter without gradient.

    Args:
        pipe: Its U-Net gets the LoRA.
        batches: Pictures with captions.
        guidance_scale: Of the teacher; the LoRA has it built in.
    """

    def __init__(self, pipe: StableDiffusionPipeline, batches: Batches, guidance_scale: float = 7.0) -> None:
        pipe.unet.requires_grad_(False)
        pipe.unet.add_adapter(LoraConfig(r=RANK, lora_alpha=RANK, target_modules=[*TARGETS, "conv_in", "proj_in"]))
        super().__init__(pipe, batches, dropped=0.0)
        self._guidance_scale = guidance_scale
        spacing = pipe.scheduler.config["num_train_timesteps"] // GRID
        self._grid = torch.arange(1, GRID + 1) * spacing - 1  # as LCMScheduler's: 19, 39, ..., 999
        self._spacing = spacing

    def loss(self, index: int, generator: torch.Generator) -> Tensor:
        """Loss of batch `index`."""
        latents, ids = self.pool(index)
        device = latents.device
        noise = torch.randn(latents.shape, generator=generator, device=device)
        place = torch.randint(len(self._grid), (len(ids),), generator=generator, device=device)
        t = self._grid.to(device)[place]
        before = (t - self._spacing).clamp_min(0)
        z = self.pipe.scheduler.add_noise(latents, noise, t).to(memory_format=torch.channels_last)
        with torch.no_grad():
            hidden = self.pipe.text_encoder(ids)[0]
            target = self._consistent(self._guided_step(z, t, before, hidden), before, hidden)
        found = self._consistent(z, t, hidden)
        return ((found - target).square() + _HUBER**2).sqrt().mean() - _HUBER

    def _guided_step(self, z: Tensor, t: Tensor, before: Tensor, hidden: Tensor) -> Tensor:
        """A DDIM step of the denoiser without the LoRA, under classifier-free guidance."""
        empty = self.pipe.text_encoder(self.pool.empty.to(z.device))[0].expand_as(hidden)
        self.model.disable_adapters()
        both = self._eps(torch.cat([z, z]), torch.cat([t, t]), torch.cat([empty, hidden]))
        self.model.enable_adapters()
        uncond, cond = both.chunk(2)
        eps = uncond + self._guidance_scale * (cond - uncond)
        signal, noise = self._levels(before)
        return signal * self._clean(z, eps, t) + noise * eps

    def _consistent(self, z: Tensor, t: Tensor, hidden: Tensor) -> Tensor:
        """f(z, t)."""
        scaled = t.to(z.dtype)[:, None, None, None] * _TIMESTEP_SCALING
        skip = _SIGMA_DATA**2 / (scaled**2 + _SIGMA_DATA**2)
        out = scaled / (scaled**2 + _SIGMA_DATA**2).sqrt()
        return skip * z + out * self._clean(z, self._eps(z, t, hidden), t)

    def _eps(self, z: Tensor, t: Tensor, hidden: Tensor) -> Tensor:
        return self.model(z.to(memory_format=torch.channels_last), t, hidden, return_dict=False)[0].float()

    def _clean(self, z: Tensor, eps: Tensor, t: Tensor) -> Tensor:
        signal, noise = self._levels(t)
        return (z - noise * eps) / signal

    def _levels(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """Sizes of signal and noise at timesteps, each (batch, 1, 1, 1)."""
        alpha = self.pipe.scheduler.alphas_cumprod.to(t.device)[t][:, None, None, None]
        return alpha.sqrt(), (1 - alpha).sqrt()

    def sheet(self, path: Path) -> None:
        """Single objects and pairs in four steps without guidance."""
        own: Any = self.pipe.scheduler
        self.pipe.scheduler = few_step_scheduler(self.pipe)
        save_sheet(sample(self.pipe, list(SHEET), STEPS, 1.0), path, columns=8, scale=2)
        self.pipe.scheduler = own


def few_step_scheduler(pipe: StableDiffusionPipeline) -> Any:
    """The scheduler that the LoRA is made for."""
    return LCMScheduler.from_config(pipe.scheduler.config, original_inference_steps=GRID)
