"""What a guidance rule is: a frozen set of parameters and one pure function of one sample's predictions.

There is no batch dimension anywhere, so samples cannot influence each other.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Generic, Literal, TypeVar

import torch
from torch import Tensor

from semguide.guidance.geometry import ConceptSamples, PerConcept, Sample, Scalar, cosine, upcast_half
from semguide.guidance.parameters import GUIDANCE_SCALE, check_parameters, parameter

State = TypeVar("State")


@dataclass(frozen=True)
class Step:
    """Where in the trajectory a prediction was made.

    Attributes:
        index: 0-based step.
        count: Number of steps.
        guidance_scale: w of this step's classifier-free guidance.
        eps_scale: eps difference = eps_scale * difference of raw predictions; 1 for a model that predicts eps.
    """

    index: int
    count: int
    guidance_scale: float
    eps_scale: Tensor | float = 1.0


@dataclass(frozen=True)
class Predictions:
    """What the denoiser predicted for one sample at one step, in its own parametrisation (eps, v, flow or x0).

    Attributes:
        uncond: e(0), for the empty or negative prompt.
        cond: e(P), for the whole prompt.
        concepts: e(c_k), one per concept, at least one.
    """

    uncond: Sample
    cond: Sample
    concepts: ConceptSamples

    @property
    def prompt_guidance(self) -> Tensor:
        """The guidance p = e(P) - e(0), "*dims", in float32 or better."""
        return upcast_half(self.cond) - upcast_half(self.uncond)

    @property
    def concept_guidance(self) -> Tensor:
        """The guidances s_k = e(c_k) - e(0), "concept *dims", in float32 or better."""
        return upcast_half(self.concepts) - upcast_half(self.uncond)

    @property
    def similarity(self) -> PerConcept:
        """The signed cosines cos(p, s_k), in float32 or better."""
        prompt = self.prompt_guidance
        return torch.stack([cosine(prompt, subject) for subject in self.concept_guidance])


@dataclass(frozen=True)
class Correction:
    """What a rule adds to classifier-free guidance: out = uncond + w (cond - uncond) + delta.

    Attributes:
        delta: The correction, of the predictions' shape and dtype.
        similarity: The similarity of each concept that the gate looks at.
        gate: How far the gate of each concept is open: 0 closed, 1 open, -1 where the rule pushes away.
        weight: The coefficient on each concept's direction.
        abstract: The similarity of the abstract concept, None where the rule has none.
    """

    delta: Sample
    similarity: PerConcept
    gate: PerConcept
    weight: PerConcept
    abstract: Scalar | None = None


@dataclass(frozen=True)
class Rule(ABC, Generic[State]):
    """A guidance rule: its fields are its parameters, made by `parameter` and checked when it is made."""

    guidance_scale: float = parameter(7.5, GUIDANCE_SCALE, low=1.0, high=100.0)

    name: ClassVar[str]
    signed: ClassVar[bool] = True
    """Whether the similarity of its corrections is the signed cosine cos(p, s_k)."""
    min_concepts: ClassVar[int] = 1
    """With fewer concepts than this the correction is zero, so they are not evaluated."""
    repels: ClassVar[bool] = False
    """Whether it steers away from the concepts, so that they are to be given by hand."""

    def __post_init__(self) -> None:
        check_parameters(self)

    @property
    def null_tokens(self) -> Literal["", "prompt", "concepts"]:
        """Whose tokens are nulled in the prompt to make the text of e(0); "" where that is the negative prompt."""
        return ""

    @property
    @abstractmethod
    def is_noop(self) -> bool:
        """Whether these parameters make the correction zero at every step."""

    @abstractmethod
    def needs_concepts(self, step: int, count: int) -> bool:
        """Say whether the concept predictions of a step are used, at that step or later.

        Args:
            step: 0-based step.
            count: Number of steps.
        """

    def evaluates(self, step: int, count: int, concepts: int) -> bool:
        """Say whether an image's concepts are to be evaluated at a step, so many concepts being there.

        Args:
            step: 0-based step.
            count: Number of steps.
            concepts: Number of concepts.
        """
        return concepts >= self.min_concepts and self.needs_concepts(step, count)

    def evaluations_per_image(self, steps: int, concepts: int) -> int:
        """Return the denoiser evaluations of an image: 2 a step, and 1 for each concept where it is evaluated."""
        return sum(2 + (concepts if self.evaluates(step, steps, concepts) else 0) for step in range(steps))

    @abstractmethod
    def initial_state(self, num_concepts: int) -> State:
        """Return the state before the first step; an immutable value, None where the rule keeps none."""

    @abstractmethod
    def correct(self, predictions: Predictions, step: Step, state: State) -> tuple[Correction, State]:
        """Return the correction of one step, and the state for the next one.

        Pure, and free of waits for the device. Outside the rule's window `delta` is exactly zero.
        """

    @classmethod
    @abstractmethod
    def citation(cls) -> str:
        """Return the BibTeX entry to cite."""


def no_correction(predictions: Predictions, similarity: Tensor, abstract: Tensor | None = None) -> Correction:
    """Return a correction of exactly zero that only records the similarities."""
    closed = torch.zeros_like(similarity)
    return Correction(torch.zeros_like(predictions.uncond), similarity, closed, closed, abstract)
