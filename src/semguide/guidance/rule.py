"""What a guidance rule is: a frozen set of parameters and one pure function of one sample's predictions.

There is no batch dimension anywhere, so samples cannot influence each other.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, Generic, Literal, TypeVar, cast

import torch
from torch import Tensor

from semguide.guidance.geometry import ConceptSamples, PerConcept, Sample, Scalar, cosine, upcast_half
from semguide.guidance.parameters import GUIDANCE_SCALE, UNCOND_EVERY, check_parameters, parameter

State = TypeVar("State")

Branches = Literal["both", "embedded", "conditional"]
"""What a pipeline evaluates for an image at each step: e(0) and e(P); e(P) alone, of a denoiser that takes the guidance
scale as an input; or e(P) alone, without any guidance, as checkpoints of a few steps do."""


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
        uncond: e(0), for the empty or negative prompt; without guidance what stands for it, the mean of e(c_k).
        cond: e(P), for the whole prompt.
        concepts: e(c_k), one per concept; none only for rules that use none.
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
        if not len(self.concepts):
            return prompt.new_zeros(0)
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


def step_evaluations(concepts: int, branches: Branches = "both") -> int:
    """Return the denoiser evaluations of one step of one image.

    Args:
        concepts: Number of concepts that are evaluated at the step, 0 for a plain step.
        branches: What the pipeline evaluates; with "embedded" e(0) is evaluated with concepts only.

    Returns:
        e(P), one for each concept, and e(0) where it is evaluated.
    """
    uncond = branches == "both" or (branches == "embedded" and concepts > 0)
    return 1 + concepts + uncond


@dataclass(frozen=True)
class Rule(ABC, Generic[State]):
    """A guidance rule: its fields are its parameters, made by `parameter` and checked when it is made.

    A subclass needs a `name` and `correct`; everything else has a default.
    """

    guidance_scale: float = parameter(7.5, GUIDANCE_SCALE, low=1.0, high=100.0)
    _: KW_ONLY
    uncond_every: int = parameter(1, UNCOND_EVERY, low=1, high=1000)

    name: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    """Other names under which it is found."""
    min_concepts: ClassVar[int] = 1
    """With fewer concepts than this the correction is zero, so they are not evaluated."""
    uses_concepts: ClassVar[bool] = True
    """Whether `correct` looks at the concepts; if not, it is asked at every step, with whichever were evaluated."""
    needs_uncond: ClassVar[bool] = True
    """Whether it needs e(0); without it, the mean of e(c_k) takes its place where there is no guidance."""
    repels: ClassVar[bool] = False
    """Whether it steers away from the concepts, so that they are to be given by hand."""

    def __post_init__(self) -> None:
        check_parameters(self)

    @property
    def null_tokens(self) -> Literal["", "prompt", "concepts"]:
        """Whose tokens are nulled in the prompt to make the text of e(0); "" where that is the negative prompt."""
        return ""

    @property
    def null_adapters(self) -> float:
        """The share of their scales that adapters (LoRAs) have for e(0); 1 leaves them as they are."""
        return 1.0

    @property
    def replaces_uncond(self) -> bool:
        """Whether e(0) is another one than plain guidance has, so that it guides without a correction."""
        return bool(self.null_tokens) or self.null_adapters != 1.0

    @property
    def is_noop(self) -> bool:
        """Whether these parameters make the correction zero at every step."""
        return False

    @property
    def is_plain(self) -> bool:
        """Whether its images are those of plain classifier-free guidance with e(0) at every step."""
        return self.is_noop and self.uncond_every == 1

    @property
    def goes_without_guidance(self) -> bool:
        """Whether it can do its work, or has none, where there is no e(0)."""
        return self.uncond_every == 1 and (self.is_plain if self.needs_uncond else not self.replaces_uncond)

    def needs_concepts(self, step: int, count: int, concepts: int) -> bool:
        """Say whether an image's concept predictions of a step are used, at that step or later.

        By default they are at every step, unless the rule is a no-op or there are too few concepts.

        Args:
            step: 0-based step.
            count: Number of steps.
            concepts: Number of the image's concepts.
        """
        del step, count
        return self.uses_concepts and not self.is_noop and concepts >= self.min_concepts

    def reuses_guidance(self, step: int, count: int, concepts: int) -> bool:
        """Say whether a step keeps p = e(P) - e(0) of the step before, so that e(0) is not evaluated.

        That is never so in the first half of the steps, where p changes most, nor up to the rule's last step.

        Args:
            step: 0-based step.
            count: Number of steps.
            concepts: Number of the image's concepts.
        """
        if self.uncond_every == 1 or step < (half := (count + 1) // 2):
            return False
        acting = range(count) if not (self.uses_concepts or self.is_noop) else ()
        acting = acting or [i for i in range(half, count) if self.needs_concepts(i, count, concepts)]
        first = max(half, max(acting, default=-1) + 1)
        return step > first and (step - first) % self.uncond_every != 0

    def initial_state(self, num_concepts: int) -> State:
        """Return the state before the first step, an immutable value; None by default."""
        del num_concepts
        return cast(State, None)

    @abstractmethod
    def correct(self, predictions: Predictions, step: Step, state: State) -> tuple[Correction, State]:
        """Return the correction of one step, and the state for the next one.

        Pure, and free of waits for the device. Outside the rule's window `delta` is exactly zero.
        """

    @classmethod
    def citation(cls) -> str:
        """Return the BibTeX entry to cite, "" for none."""
        return ""

    def evaluations(
        self, step: int, count: int, concepts: int, *, full_trace: bool = False, branches: Branches = "both"
    ) -> int:
        """Return the denoiser evaluations of one step of one image.

        Args:
            step: 0-based step.
            count: Number of steps.
            concepts: Number of the image's concepts.
            full_trace: Whether the concepts are evaluated also where the rule does not use them.
            branches: What the pipeline evaluates at each step.
        """
        evaluated = full_trace or self.needs_concepts(step, count, concepts)
        spared = branches == "both" and self.reuses_guidance(step, count, concepts)
        return step_evaluations(concepts if evaluated else 0, branches) - spared

    def evaluations_per_image(
        self, steps: int, concepts: int, *, full_trace: bool = False, branches: Branches = "both"
    ) -> int:
        """Return the denoiser evaluations of all steps of one image."""
        return sum(
            self.evaluations(step, steps, concepts, full_trace=full_trace, branches=branches) for step in range(steps)
        )


def no_correction(predictions: Predictions, similarity: Tensor, abstract: Tensor | None = None) -> Correction:
    """Return a correction of exactly zero that only records the similarities."""
    closed = torch.zeros_like(similarity)
    return Correction(torch.zeros_like(predictions.uncond), similarity, closed, closed, abstract)
