"""Recipe of a LoRA for a few steps without guidance: from a step of the guided denoiser straight to where it ends.

As consistency distillation (arXiv 2310.04378, 2311.05556) it learns what `TCDScheduler` takes, but the
end of a whole trajectory is the target in the place of the model's own guess after one step: for a small denoiser
trajectories are cheap, and a fixed target is learned with far fewer of them. Later most trajectories start where the
LoRA itself gets to in 4 and in 8 steps, so that it learns to mend what its first steps leave half done.
"""

from __future__ import annotations

from collections.abc import Callable
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
FROM_NOISE = 3200
"""Steps of training after which the LoRA learns from where it gets to itself."""
_HUBER = 1e-3


class Pools:
    """Batches of noisy latents, each with the step it is at and what guided DDIM makes of it in the end.

    They are drawn in pools, each of which is gone through several times, in a fresh order.

    Args:
        draw: Draws for the captions of a batch: latents, steps, text encodings and ends.
        batches: Captions.
        times: Latents that it draws for each caption.
        size: Batches of captions in a pool.
        repeats: How often a pool is gone through.
    """

    def __init__(
        self, draw: Callable[[int], tuple[Tensor, ...]], batches: Batches, times: int, size: int, repeats: int
    ) -> None:
        self.draw, self.batches = draw, batches
        self.times, self.size, self.repeats = times, size, repeats
        self._pool: int | None = None
        self._rows: tuple[Tensor, ...] = ()

    def __call__(self, index: int) -> tuple[Tensor, ...]:
        """Batch `index`: latents, steps, text encodings and ends, (batch, ...) each."""
        each = self.size * self.times
        pool, place = divmod(index, each * self.repeats)
        if pool != self._pool:
            drawn = [self.draw(i) for i in range(pool * self.size, (pool + 1) * self.size)]
            self._pool, self._rows = pool, tuple(torch.cat(part) for part in zip(*drawn, strict=True))
        round_, turn = divmod(place, each)
        count = self.batches.batch_size
        order = np.random.default_rng((self.batches.seed, pool, round_)).permutation(each * count)
        chosen = torch.from_numpy(order[turn * count : (turn + 1) * count]).to(self._rows[0].device)
        return tuple(part[chosen] for part in self._rows)


class Trajectories:
    """Trajectories of guided DDIM, by the U-Net without its LoRA: from noise, or from where the LoRA gets to.

    Args:
        pipe: The teacher, with the LoRA.
        batches: Captions.
        guidance_scale: Of the teacher.
    """

    def __init__(self, pipe: StableDiffusionPipeline, batches: Batches, guidance_scale: float) -> None:
        self.pipe, self.batches, self.guidance_scale = pipe, batches, guidance_scale
        self.trained = trained_steps(pipe)
        self.steps = _between(self.trained)

    @torch.no_grad()
    def from_noise(self, index: int) -> tuple[Tensor, ...]:
        """Return what a trajectory passes at each trained step, for each caption of a batch; a function of the seed."""
        hidden, generator = self._captions(index, self.batches.seed + index)
        return self._followed({self.trained[0]: [self._noise(len(hidden), generator)]}, hidden, passed=True)

    @torch.no_grad()
    def from_student(self, index: int) -> tuple[Tensor, ...]:
        """Return where the LoRA gets to in 4 and in 8 steps, after each step but the last, with its present weights."""
        hidden, generator = self._captions(index, -1 - self.batches.seed - index)
        starts: dict[int, list[Tensor]] = {}
        for count in (STEPS, MOST_STEPS):
            scheduler, z = few_step_scheduler(self.pipe), self._noise(len(hidden), generator)
            scheduler.set_timesteps(count, device=z.device)
            for here, following in pairwise(scheduler.timesteps):
                eps = predict(self.pipe, z, here, hidden)
                z = scheduler.step(eps, here, z, generator=generator, return_dict=False)[0]
                starts.setdefault(int(following), []).append(z)
        torch.clear_autocast_cache()  # what it holds of the LoRA has no gradient
        return self._followed(starts, hidden, passed=False)

    def _captions(self, index: int, seed: int) -> tuple[Tensor, torch.Generator]:
        return encode(self.pipe, self.batches.scenes(index)[1]), torch.Generator().manual_seed(seed)

    def _noise(self, count: int, generator: torch.Generator) -> Tensor:
        unet = self.pipe.unet
        shape = (count, unet.config["in_channels"], unet.config["sample_size"], unet.config["sample_size"])
        return torch.randn(shape, generator=generator).to(unet.device)

    def _followed(self, starts: dict[int, list[Tensor]], hidden: Tensor, passed: bool) -> tuple[Tensor, ...]:
        """Follow latents to their ends.

        Args:
            starts: Trained step -> latents that start there.
            hidden: Their text encodings.
            passed: Whether to return what one trajectory passes at the trained steps, not the starts.
        """
        unet, device, count = self.pipe.unet, self.pipe.unet.device, len(hidden)
        empty = encode(self.pipe, [""])
        found: list[tuple[Tensor, int]] = []
        z = torch.empty(0, device=device)
        unet.disable_adapters()
        for t, following in pairwise((*self.steps, 0)):
            started = starts.get(t, [])
            z = torch.cat([z, *started])
            found += [(latents, t) for latents in ([z] if passed and t in self.trained else started)]
            if len(z) == 0:
                continue
            texts = hidden.repeat(len(z) // count, 1, 1)
            both = torch.cat([empty.expand_as(texts), texts])
            uncond, cond = predict(self.pipe, torch.cat([z, z]), torch.tensor(t, device=device), both).chunk(2)
            z = self._step(z, uncond + self.guidance_scale * (cond - uncond), t, following)
        unet.enable_adapters()
        steps = torch.tensor([t for _, t in found], device=device).repeat_interleave(count)
        times = len(found)
        ends = z.repeat(times, 1, 1, 1) if passed else z
        return torch.cat([latents for latents, _ in found]), steps, hidden.repeat(times, 1, 1), ends

    def _step(self, z: Tensor, eps: Tensor, t: int, following: int) -> Tensor:
        """A DDIM step."""
        here, there = (torch.tensor([step], device=z.device) for step in (t, following))
        signal, noise = levels(self.pipe, there)
        return signal * clean(self.pipe, z, eps, here) + noise * eps


class TurboRecipe:
    """The pseudo-Huber distance of x_0(z, t), with the LoRA, to where z ends.

    After `FROM_NOISE` steps a run that was stopped goes on with a fresh pool of where the LoRA gets to, so its weights
    are not those of a run that was not.

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
        teacher = Trajectories(pipe, batches, guidance_scale)
        few, many = STEPS - 1, MOST_STEPS - 1
        self.from_noise = Pools(teacher.from_noise, batches, len(teacher.trained), size=8, repeats=2)
        self.from_student = Pools(teacher.from_student, batches, few + many, size=2, repeats=3)

    def batch(self, index: int) -> tuple[Tensor, ...]:
        """Batch `index`: from noise alone at first, then three of four from where the LoRA gets to."""
        later, turn = divmod(index - FROM_NOISE, 4)
        if later < 0:
            return self.from_noise(index)
        return self.from_student(3 * later + turn) if turn < 3 else self.from_noise(FROM_NOISE + later)

    def loss(self, index: int, generator: torch.Generator) -> Tensor:
        """Loss of batch `index`; it needs no noise but that of the trajectories."""
        del generator
        z, t, hidden, end = self.batch(index)
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
