"""Guidance that a method computes itself, in the place of a pipeline's own, whose loop goes on as it is.

Pipelines of the form u + w (c - u) with rows for both in one denoiser call get the method's prediction for both rows:
their difference is then exactly 0, and what they make of it exactly that prediction, whatever w is.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from semguide.adapters.pipelines.denoiser_call import DenoiserCall, prediction_of, with_prediction
from semguide.adapters.pipelines.families.registry import ARCHITECTURES, mechanism_of, spec_of
from semguide.adapters.pipelines.families.spec import PipelineSpec
from semguide.adapters.pipelines.own_scale import own_scale
from semguide.adapters.pipelines.patching import Forward, replaced_forward
from semguide.adapters.pipelines.session import StepCounter
from semguide.errors import UnsupportedPipeline
from semguide.evaluation.sampling_methods.base import SampledImage, SampleFunction, SamplingMethod, SamplingOptions
from semguide.models import VIDEOS
from semguide.types import Concept

GUIDED = 2.0
"""The scale that the pipeline is told at least, so that it asks for the unconditional prediction."""


@dataclass(frozen=True)
class GuidedStep:
    """A step of an image.

    Attributes:
        index: 0-based step.
        count: Number of steps.
        timestep: The scheduler's timestep.
        cond: The denoiser's call for the prompt.
        uncond: Its call for the negative prompt.
    """

    index: int
    count: int
    timestep: Tensor
    cond: DenoiserCall
    uncond: DenoiserCall


Evaluate = Callable[[DenoiserCall], Tensor]
"""Returns what the denoiser predicts for a call, one row, and counts it."""

Guide = Callable[[Evaluate, GuidedStep], Tensor]
"""Returns the guided prediction of a step of one image, one row."""


@dataclass(frozen=True)
class OwnGuidance(SamplingMethod):
    """A sampling method that is guidance of its own, without concepts."""

    goes_without_guidance: ClassVar[bool] = True

    @abstractmethod
    def guide(self, pipe: Any, denoiser: Any) -> Guide:
        """Return the guidance of one image, with what it remembers from step to step.

        Args:
            pipe: The pipeline.
            denoiser: The part of it that predicts.
        """

    def check(self, pipeline_class: str, sampling: SamplingOptions) -> None:
        """Refuse pipelines that do not ask for both predictions in one call, and those that make videos.

        Raises:
            UnsupportedPipeline: It is one.
        """
        del sampling
        if pipeline_class in VIDEOS:
            raise UnsupportedPipeline(f"{self.name} makes pictures only, and {pipeline_class} makes videos")
        spec = ARCHITECTURES.get(pipeline_class)
        if spec is None or spec.mechanism != "concat" or len(spec.denoisers) > 1:
            raise UnsupportedPipeline(
                f"{self.name} needs a pipeline that predicts for prompt and negative prompt in one denoiser call, "
                f"such as a StableDiffusionPipeline or a StableDiffusion3Pipeline, got {pipeline_class}"
            )

    def bind(self, pipe: Any, sampling: SamplingOptions) -> SampleFunction:
        """Get ready to make images.

        Raises:
            UnsupportedPipeline: The pipeline does not ask for both predictions in one call.
        """
        spec = spec_of(pipe)
        self.check(type(pipe).__name__, sampling)
        if mechanism_of(spec, pipe, {}, GUIDED) != "concat":
            raise UnsupportedPipeline(f"{self.name} needs classifier-free guidance, which this checkpoint has embedded")
        denoiser = getattr(pipe, spec.denoisers[0])
        scale: dict[str, Any] = own_scale(pipe, max(GUIDED, self.guidance_scale))

        def make(prompt: str, concepts: Sequence[Concept], seed: int) -> SampledImage:
            del concepts
            run = _Run(pipe, spec, self.guide(pipe, denoiser))
            with replaced_forward(denoiser, run.wrapped):
                image = pipe(
                    prompt,
                    **scale,
                    num_inference_steps=sampling.num_inference_steps,
                    height=sampling.height,
                    width=sampling.width,
                    generator=torch.Generator("cpu").manual_seed(seed),
                ).images[0]
            run.steps.check()
            return SampledImage(image, run.evaluations)

        return make


class _Run:
    """The guidance of one image."""

    def __init__(self, pipe: Any, spec: PipelineSpec, guide: Guide) -> None:
        self.steps = StepCounter(pipe)
        self.evaluations = 0
        self._pipe = pipe
        self._spec = spec
        self._guide = guide

    def wrapped(self, forward: Forward) -> Forward:
        """Return the denoiser's forward with the guidance in it."""

        def guided_forward(*args: Any, **kwargs: Any) -> Any:
            call = DenoiserCall(self._spec.positional, self._spec.rows, args, kwargs)
            cond, uncond = (call.at([row]) for row in ((0, 1) if self._spec.cond_first else (1, 0)))
            index = self.steps.begin_step()
            step = GuidedStep(index, self.steps.count, self._pipe.scheduler.timesteps[index], cond, uncond)
            outputs: list[Any] = []

            def evaluate(asked: DenoiserCall) -> Tensor:
                outputs.append(asked.evaluate(forward))
                self.evaluations += asked.total
                return prediction_of(outputs[-1])

            guided = self._guide(evaluate, step)
            return with_prediction(outputs[0], torch.cat([guided, guided]))

        return guided_forward
