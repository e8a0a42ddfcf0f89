"""What samplers need to know of a model: its predictions as eps, and how much noise is in its latents at a step.

With x = alpha x0 + sigma eps, a model of eps predicts it; one of the flow velocity v, with alpha = 1 - sigma, has
eps = x + (1 - sigma) v.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from semguide.errors import UnsupportedPipeline


@dataclass(frozen=True)
class EpsModel(ABC):
    """A pipeline's denoiser for some texts.

    Attributes:
        pipe: The pipeline, with its timesteps set.
        texts: The encoded texts: what the denoiser is told of them, a row each.
    """

    pipe: Any
    texts: tuple[Tensor, ...]

    @abstractmethod
    def sigma(self, step: int) -> Tensor:
        """Return the weight of the noise in x at a 0-based step."""

    @abstractmethod
    def alpha(self, step: int) -> Tensor:
        """Return the weight of the image in x at a 0-based step."""

    @abstractmethod
    def eps(self, x: Tensor, step: int) -> Tensor:
        """Return the prediction for latents "1 channel height width" at a step as eps, a row per text."""


class _Diffusion(EpsModel):
    """Stable Diffusion that predicts eps."""

    def sigma(self, step: int) -> Tensor:
        scheduler = self.pipe.scheduler
        kept = scheduler.alphas_cumprod[scheduler.timesteps[step].long().cpu()]
        return (1 - kept).sqrt().to(self.pipe._execution_device)

    def alpha(self, step: int) -> Tensor:
        return (1 - self.sigma(step) ** 2).sqrt()

    def eps(self, x: Tensor, step: int) -> Tensor:
        (embeds,) = self.texts
        time = self.pipe.scheduler.timesteps[step]
        rows = self.pipe.scheduler.scale_model_input(x, time).expand(len(embeds), -1, -1, -1)
        return self.pipe.unet(rows, time, encoder_hidden_states=embeds, return_dict=False)[0]


class _Flow(EpsModel):
    """Stable Diffusion 3."""

    def sigma(self, step: int) -> Tensor:
        return self.pipe.scheduler.sigmas[step].to(self.pipe._execution_device)

    def alpha(self, step: int) -> Tensor:
        return 1 - self.sigma(step)

    def eps(self, x: Tensor, step: int) -> Tensor:
        embeds, pooled = self.texts
        rows = x.expand(len(embeds), -1, -1, -1)
        velocity = self.pipe.transformer(
            hidden_states=rows,
            timestep=self.pipe.scheduler.timesteps[step].expand(len(embeds)),
            encoder_hidden_states=embeds,
            pooled_projections=pooled,
            return_dict=False,
        )[0]
        return x + (1 - self.sigma(step)) * velocity


DENOISERS = {"StableDiffusionPipeline": "unet", "StableDiffusion3Pipeline": "transformer"}
"""The pipelines that these samplers know, with their denoiser."""


@torch.no_grad()
def eps_model(pipe: Any, texts: Sequence[str]) -> EpsModel:
    """Return a pipeline's model for some texts, each encoded alone, as the pipeline encodes a prompt."""
    if type(pipe).__name__ == "StableDiffusionPipeline":
        rows = [pipe.encode_prompt(text, pipe._execution_device, 1, False)[0] for text in texts]
        return _Diffusion(pipe, (torch.cat(rows),))
    encoded = [pipe.encode_prompt(text, None, None, do_classifier_free_guidance=False) for text in texts]
    return _Flow(pipe, (torch.cat([found[0] for found in encoded]), torch.cat([found[2] for found in encoded])))


def check_timesteps(pipe: Any, method: str) -> None:
    """Check that a pipeline's steps are known before the run.

    Raises:
        UnsupportedPipeline: They are not.
    """
    scheduler, name = pipe.scheduler, type(pipe.scheduler).__name__
    flow = type(pipe).__name__ == "StableDiffusion3Pipeline"
    if flow and (name != "FlowMatchEulerDiscreteScheduler" or scheduler.config.use_dynamic_shifting):
        raise UnsupportedPipeline(
            f"{method} needs a FlowMatchEulerDiscreteScheduler without dynamic shifting for it, got {name}"
        )


def check_scheduler(pipe: Any, method: str) -> None:
    """Check that the noise in a pipeline's latents is known at each step.

    Raises:
        UnsupportedPipeline: It is not.
    """
    check_timesteps(pipe, method)
    scheduler = pipe.scheduler
    kind, name = scheduler.config.get("prediction_type", None), type(scheduler).__name__
    scaled = hasattr(scheduler, "alphas_cumprod") and float(scheduler.init_noise_sigma) == 1
    if type(pipe).__name__ != "StableDiffusion3Pipeline" and (kind != "epsilon" or not scaled):
        raise UnsupportedPipeline(
            f"{method} needs a scheduler of eps predictions whose noise has variance 1 - alphas_cumprod, such as "
            f"DDIMScheduler, got {name} with prediction_type {kind!r}"
        )
