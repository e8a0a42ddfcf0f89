"""What a maker is: a frozen set of parameters that, bound to a pipeline, makes an image of a prompt and a seed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from semguide.guidance import Trace
from semguide.guidance.parameters import GUIDANCE_SCALE, check_parameters, parameter
from semguide.types import Concept


@dataclass(frozen=True, slots=True)
class SamplingOptions:
    """What all methods of a benchmark share.

    Attributes:
        num_inference_steps: Steps of an image, >= 1.
        height: Pixels.
        width: Pixels.
        full_trace: Whether rules evaluate the concepts at every step.
    """

    num_inference_steps: int
    height: int
    width: int
    full_trace: bool = False


@dataclass(frozen=True)
class SampledImage:
    """One image.

    Attributes:
        image: The picture.
        evaluations: What it cost in denoiser evaluations, of all that was run for it: a forward pass counts 1, a
            backward pass 2 (it computes the gradients of inputs and weights, each about a forward's work).
        trace: Its trace, None where there is none.
        details: What else the row should hold, as JSON values; None for nothing.
    """

    image: Any
    evaluations: int
    trace: Trace | None = None
    details: dict[str, Any] | None = None


MakeOne = Callable[[str, Sequence[Concept], int], SampledImage]
"""Makes the image of a prompt, its concepts and a seed; the same three make the same image, bit for bit."""


@dataclass(frozen=True)
class SamplingMethod(ABC):
    """A method that is no guidance rule: its fields are its parameters, made by `parameter`, checked when made."""

    guidance_scale: float = parameter(7.5, GUIDANCE_SCALE, low=1.0, high=100.0)

    name: ClassVar[str]

    def __post_init__(self) -> None:
        check_parameters(self)

    @abstractmethod
    def bind(self, pipe: Any, sampling: SamplingOptions) -> MakeOne:
        """Get ready to make images with a pipeline, which other methods use, too: it must be left as it was found."""

    @abstractmethod
    def evaluations_per_image(self, steps: int, concepts: int) -> int | None:
        """Return `SampledImage.evaluations` for so many steps and concepts; None where it depends on the image."""

    @classmethod
    @abstractmethod
    def citation(cls) -> str:
        """Return the BibTeX entry to cite."""

    def check(self, pipeline_class: str, sampling: SamplingOptions) -> None:
        """Check before any work that images can be made.

        Args:
            pipeline_class: Name of the diffusers pipeline.
            sampling: How.

        Raises:
            InvalidArgument: A parameter does not go with the sampling.
            UnsupportedPipeline: The method does not work on this pipeline.
        """
        del pipeline_class, sampling

    def identity(self) -> dict[str, Any]:
        """Return what decides an image besides parameters and checkpoint, such as hashes of files, as JSON values."""
        return {}
