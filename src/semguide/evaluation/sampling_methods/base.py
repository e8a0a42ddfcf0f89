"""The interface of a sampling method, and a guidance rule behind the same interface."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from semguide.adapters import steer
from semguide.adapters.pipelines.own_scale import own_scale
from semguide.errors import UnsupportedPipeline
from semguide.guidance import Rule, Trace
from semguide.guidance.parameters import GUIDANCE_SCALE, check_parameters, parameter
from semguide.runs.generation import as_picture, step_arguments, video_arguments
from semguide.runs.png import Video
from semguide.types import Concept

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True, slots=True)
class SamplingOptions:
    """Sampling options that all methods of a benchmark share.

    Attributes:
        num_inference_steps: Steps of an image, >= 1.
        height: Pixels.
        width: Pixels.
        full_trace: Whether rules evaluate the concepts at every step.
        num_frames: Frames of a video; None: the pipeline's own.
    """

    num_inference_steps: int
    height: int
    width: int
    full_trace: bool = False
    num_frames: int | None = None

    def call_arguments(self, pipe: Any) -> dict[str, Any]:
        """Return them as arguments of a steered pipeline's call."""
        return {
            "full_trace": self.full_trace,
            "num_inference_steps": self.num_inference_steps,
            "height": self.height,
            "width": self.width,
            **video_arguments(pipe, self.num_frames),
            **step_arguments(pipe, self.num_inference_steps),
        }


@dataclass(frozen=True)
class SampledImage:
    """One image.

    Attributes:
        image: The PIL image, or the video.
        evaluations: Denoiser evaluations of everything run for it: a forward pass counts 1, a
            backward pass 2 (it computes the gradients of inputs and weights, each about a forward's work).
        trace: Its trace, None if there is none.
        details: Further JSON values of the row, None if there are none.
        log_odds: That each concept is right, as `Result.log_odds` has them; None where there are none.
    """

    image: Image | Video
    evaluations: int
    trace: Trace | None = None
    details: dict[str, Any] | None = None
    log_odds: list[float] | None = None

    @property
    def still(self) -> Image:
        """What is judged and scored: the image, of a video the frame in its middle."""
        return self.image.still if isinstance(self.image, Video) else self.image


SampleFunction = Callable[[str, Sequence[Concept], int], SampledImage]
"""Generates the image of a prompt, its concepts and a seed; the same arguments give the same image, bit for bit."""


@dataclass(frozen=True)
class SamplingMethod(ABC):
    """A method that is not a guidance rule; its fields are its parameters, declared with `parameter`."""

    guidance_scale: float = parameter(7.5, GUIDANCE_SCALE, low=1.0, high=100.0)

    name: ClassVar[str]
    goes_without_guidance: ClassVar[bool] = False
    """Whether it works, and counts, at a scale of 1."""

    def __post_init__(self) -> None:
        check_parameters(self)

    @abstractmethod
    def bind(self, pipe: Any, sampling: SamplingOptions) -> SampleFunction:
        """Return the sampling function for a pipeline, which it must leave unchanged after each call.

        Args:
            pipe: A diffusers pipeline, shared with other methods.
            sampling: The sampling options.
        """

    @abstractmethod
    def evaluations_per_image(self, steps: int, concepts: int) -> int | None:
        """Return `SampledImage.evaluations` of an image; None if it depends on the image.

        Args:
            steps: Denoising steps, >= 1.
            concepts: Number of concepts, >= 0.
        """

    @classmethod
    @abstractmethod
    def citation(cls) -> str:
        """Return the BibTeX entry to cite."""

    def check(self, pipeline_class: str, sampling: SamplingOptions) -> None:
        """Check that the method can be used, before anything is loaded.

        Args:
            pipeline_class: Name of the diffusers pipeline.
            sampling: The sampling options.

        Raises:
            InvalidArgument: A parameter does not go with the sampling.
            UnsupportedPipeline: The method does not work on this pipeline.
        """
        del pipeline_class, sampling

    def identity(self) -> dict[str, Any]:
        """Return what determines an image besides parameters and checkpoint, such as file hashes, as JSON values."""
        return {}


def check_pipeline(method: str, pipeline_class: str, known: Iterable[str]) -> None:
    """Check that a pipeline is one of those that a method knows.

    Raises:
        UnsupportedPipeline: It is another one.
    """
    if pipeline_class not in (names := list(known)):
        raise UnsupportedPipeline(f"{method} needs a {' or '.join(names)}, got {pipeline_class}")


def sample_with_rule(pipe: Any, rule: Rule[Any], sampling: SamplingOptions) -> SampleFunction:
    """Return the sampling function of a rule.

    Every image is a pipeline call of its own with its own CPU generator, so it depends on no other image.

    Args:
        pipe: A diffusers pipeline.
        rule: The rule.
        sampling: The sampling options.
    """
    steered = steer(pipe, rule)
    shared: dict[str, Any] = {**own_scale(pipe, rule.guidance_scale), **sampling.call_arguments(pipe)}

    def make(prompt: str, concepts: Sequence[Concept], seed: int) -> SampledImage:
        generator = torch.Generator("cpu").manual_seed(seed)
        result = steered(prompt, concepts=list(concepts), generator=generator, **shared)
        picture, odds = as_picture(pipe, result.images[0]), result.log_odds[0]
        return SampledImage(picture, int(result.evaluations[0]), result.trace, log_odds=odds)

    return make
