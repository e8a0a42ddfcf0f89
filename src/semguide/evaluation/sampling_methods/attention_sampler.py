"""Sampling that moves the latents along the gradient of an attention loss, whichever loss it is."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from semguide.errors import InvalidArgument
from semguide.evaluation.sampling_methods.attention_maps import (
    JOINT,
    PromptTokens,
    Subject,
    map_sides,
    mean_map,
    recorded_maps,
    subject_of,
)
from semguide.evaluation.sampling_methods.base import (
    SampledImage,
    SampleFunction,
    SamplingMethod,
    SamplingOptions,
    check_pipeline,
)
from semguide.evaluation.sampling_methods.denoiser import DENOISERS, EpsModel, check_timesteps, eps_model
from semguide.guidance.parameters import parameter
from semguide.types import Concept

Loss = Callable[[Tensor], Tensor]
"""A loss of the maps "height width token"."""


@dataclass(frozen=True)
class Look:
    """A look at the attention.

    Attributes:
        x: The latents, which record gradients.
        loss: The loss there.
    """

    x: Tensor
    loss: Tensor


class AttentionSession:
    """The sampling of one image.

    Args:
        pipe: The pipeline, with its timesteps set.
        model: Its denoiser for the prompt alone.
        loss: The loss.
        side: Side of the attention maps.

    Attributes:
        model: The denoiser.
        count: Denoiser calls that the pipeline makes.
        looks: Forward passes made for the loss.
        moves: Gradients of the loss.
        drift: What is to be added to the latents after the present step.
    """

    def __init__(self, pipe: Any, model: EpsModel, loss: Loss, side: int) -> None:
        self.model = model
        self.count = len(pipe.scheduler.timesteps)
        self.looks, self.moves = 0, 0
        self.drift: Tensor | None = None
        self._pipe, self._loss, self._side = pipe, loss, side

    def look(self, x: Tensor, step: int) -> Look:
        """Return the loss of latents "1 channel height width" at a 0-based step."""
        self.looks += 1
        tracked = x.detach().requires_grad_(True)
        with torch.enable_grad(), recorded_maps(self._pipe, self._side) as maps:
            self.model.eps(tracked, step)
            return Look(tracked, self._loss(mean_map(maps, self._side)))

    def gradient(self, look: Look) -> Tensor:
        """Return the gradient of a loss in the latents."""
        self.moves += 1
        return torch.autograd.grad(look.loss, look.x)[0]

    def descend(self, look: Look, size: float) -> Tensor:
        """Return the latents moved down the gradient; a loss of 0 moves nothing."""
        x = look.x.detach()
        return x if look.loss == 0 else x - size * self.gradient(look)


@dataclass(frozen=True)
class AttentionMethod(SamplingMethod):
    """Plain guidance of latents that an attention loss moves before or after steps."""

    resolution: int = parameter(
        0,
        "Side of the attention maps to look at, 2 or more (published 16, a quarter of the latents' side); 0 takes the "
        "one nearest to a quarter that the denoiser has.",
        low=0,
    )

    @abstractmethod
    def loss(self, tokens: PromptTokens, subjects: Sequence[Subject]) -> Loss:
        """Return the loss for the subjects of a prompt."""

    @abstractmethod
    def move(self, session: AttentionSession, x: Tensor, step: int, count: int) -> Tensor:
        """Return the latents with which a step begins.

        Args:
            session: The sampling.
            x: The latents as they are.
            step: 0-based step.
            count: Number of steps asked for.
        """

    @abstractmethod
    def acts(self, concepts: int) -> bool:
        """Say whether anything is to be moved for so many concepts."""

    def check(self, pipeline_class: str, sampling: SamplingOptions) -> None:
        """Refuse pipelines other than Stable Diffusion 1.x, 2.x and 3, and pictures that are not square.

        Raises:
            InvalidArgument: The picture is not square.
            UnsupportedPipeline: It is another pipeline.
        """
        check_pipeline(self.name, pipeline_class, DENOISERS)
        if sampling.height != sampling.width:
            raise InvalidArgument("width", f"must equal {{height}} ({sampling.height}) for {self.name}", sampling.width)

    def check_scheduler(self, pipe: Any) -> None:
        """Refuse schedulers whose steps are not known before the run.

        Raises:
            UnsupportedPipeline: It is one.
        """
        check_timesteps(pipe, self.name)

    def bind(self, pipe: Any, sampling: SamplingOptions) -> SampleFunction:
        """Get ready to make images.

        Raises:
            InvalidArgument: The denoiser has no attention maps of the resolution.
            UnsupportedPipeline: The pipeline or its scheduler is another one.
        """
        self.check(type(pipe).__name__, sampling)
        self.check_scheduler(pipe)
        side, count = self._side(pipe, sampling), sampling.num_inference_steps

        def make(prompt: str, concepts: Sequence[Concept], seed: int) -> SampledImage:
            generator = torch.Generator("cpu").manual_seed(seed)
            arguments: dict[str, Any] = {
                "num_inference_steps": count,
                "guidance_scale": self.guidance_scale,
                "height": sampling.height,
                "width": sampling.width,
                "generator": generator,
            }
            if not self.acts(len(concepts)):
                image = pipe(prompt, **arguments).images[0]
                return SampledImage(image, 2 * len(pipe.scheduler.timesteps))  # PNDM has one more than steps
            pipe.scheduler.set_timesteps(count, device=pipe._execution_device)
            session = self._session(pipe, prompt, concepts, side)
            image = self._sampled(pipe, session, prompt, arguments)
            evaluations = 2 * session.count + session.looks + 2 * session.moves
            return SampledImage(image, evaluations, details={"moves": session.moves})

        return make

    def _session(self, pipe: Any, prompt: str, concepts: Sequence[Concept], side: int) -> AttentionSession:
        subjects = [subject_of(prompt, concept, self.name) for concept in concepts]
        model = eps_model(pipe, [prompt])
        tokens = PromptTokens(pipe, prompt, model.texts[0].shape[1])
        return AttentionSession(pipe, model, self.loss(tokens, subjects), side)

    def _sampled(self, pipe: Any, session: AttentionSession, prompt: str, arguments: dict[str, Any]) -> Any:
        """Return the image of the pipeline's own call, whose latents are moved between its steps."""
        denoiser, count = getattr(pipe, DENOISERS[type(pipe).__name__]), arguments["num_inference_steps"]
        shape = (1, denoiser.config.in_channels, arguments["height"], arguments["width"])
        latents = pipe.prepare_latents(*shape, denoiser.dtype, pipe._execution_device, arguments["generator"])
        moved = self.move(session, latents, 0, count)
        noise = 1.0 if type(pipe).__name__ == JOINT else pipe.scheduler.init_noise_sigma

        def between(_: Any, step: int, __: Any, given: dict[str, Any]) -> dict[str, Any]:
            """Add the drift of the step, and move the latents before the next."""
            x = given["latents"] if session.drift is None else given["latents"] + session.drift
            session.drift = None
            last = step + 1 == session.count
            return {"latents": x if last else self.move(session, x, step + 1, count).to(x.dtype)}

        return pipe(prompt, **arguments, latents=moved / noise, callback_on_step_end=between).images[0]

    def _side(self, pipe: Any, sampling: SamplingOptions) -> int:
        """Return the side of the attention maps to look at."""
        latents = sampling.height // pipe.vae_scale_factor
        usable = map_sides(pipe, latents)
        if self.resolution and self.resolution not in usable:
            rule = f"must be one of the denoiser's attention maps, {', '.join(map(str, usable))}"
            raise InvalidArgument("resolution", rule, self.resolution)
        return self.resolution or min(usable, key=lambda side: abs(side - latents / 4))


@dataclass(frozen=True)
class MovingMethod(AttentionMethod):
    """An attention method that moves the latents before each of the first steps."""

    scale_factor: float = parameter(20.0, "Size of a move.", low=0.0, high=1000.0, off=0.0)
    stop: float = parameter(
        0.5,
        "End of the steps with a move, excluded, as a fraction of the steps; published 25 of 50.",
        low=0.0,
        high=1.0,
    )

    def acts(self, concepts: int) -> bool:
        """Say whether there is a concept, and a move has a size."""
        return concepts > 0 and self.scale_factor > 0
