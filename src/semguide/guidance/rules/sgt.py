"""The project's own rule: the paper's idea, made relative, signed and free of scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from semguide.guidance.checks import check_number
from semguide.guidance.citations import SGT_PAPER
from semguide.guidance.geometry import mean_of_others, norm, own_parts, unit
from semguide.guidance.rule import Correction, Predictions, Rule, Step, no_correction
from semguide.guidance.window import Window


@dataclass(frozen=True)
class SGT(Rule[None]):
    """Add what sets a concept apart from the others, in proportion to how far it lags behind them.

    With p = e(P) - e(0), s_k = e(c_k) - e(0), c_k = cos(p, s_k) (signed) and K concepts:

        target_k  = (1 - relative) threshold + relative mean_{j != k} c_j       (K = 1: threshold)
        deficit_k = clip(target_k - c_k, 0, 1)
        own_k     = s_k less what the other concepts' guidances explain of it (least squares; K = 1: s_k)
        out       = e(0) + w p + [start <= i/n < stop] w |p| strength mean_k deficit_k unit(own_k)

    Every term is |p| times a number without unit, so the parameters mean the same for all models, prediction types,
    guidance scales and numbers of concepts and steps. The defaults were chosen on validation prompts of the embedded
    checkpoint; docs/results.md has the search.

    Attributes:
        guidance_scale: w, >= 1.
        strength: Length of the correction for a deficit of 1, as a share of w |p|, >= 0 (0 turns the rule off).
        threshold: The cosine every concept should reach, in [-1, 1].
        relative: Share of the target that is the mean of the other concepts' cosines, in [0, 1] (0: threshold only).
        start: First corrected step, as a fraction of the steps, in [0, 1].
        stop: End of the corrected steps, excluded, as a fraction of the steps, in [0, 1].
    """

    strength: float = 2.0
    threshold: float = 0.5
    relative: float = 0.5
    start: float = 0.0
    stop: float = 0.4

    name: ClassVar[str] = "sgt"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("strength", self.strength, 0.0, note="0 turns the rule off")
        check_number("threshold", self.threshold, -1.0, 1.0, note="a cosine")
        check_number("relative", self.relative, 0.0, 1.0, note="0 compares with threshold only")
        check_number("start", self.start, 0.0, 1.0, note="a fraction of the steps")
        check_number("stop", self.stop, 0.0, 1.0, note="a fraction of the steps")

    @property
    def inert(self) -> bool:
        """Whether the strength is 0."""
        return self.strength == 0

    def needs_concepts(self, step: int, count: int) -> bool:
        """Say whether the step is in the window: nothing is remembered from step to step."""
        return not self.inert and Window.fraction(self.start, self.stop, count).contains(step)

    def initial_state(self, num_concepts: int) -> None:
        """Return None: there is no state."""
        del num_concepts

    def correct(self, predictions: Predictions, step: Step, state: None) -> tuple[Correction, None]:
        """Return the own part of each concept's guidance, as long as its deficit."""
        del state
        prompt, subjects, similarity = predictions.prompt_guidance, predictions.concept_guidance, predictions.similarity
        if not self.needs_concepts(step.index, step.count):
            return no_correction(predictions, similarity), None
        deficit = (self._target(similarity) - similarity).clamp(0.0, 1.0)
        weight = self.strength * deficit / len(subjects)
        delta = torch.zeros_like(prompt)
        for k, own in enumerate(own_parts(subjects)):
            delta = delta + weight[k] * unit(own)
        delta = step.guidance_scale * norm(prompt) * delta
        return Correction(delta.to(predictions.uncond.dtype), similarity, deficit, weight), None

    def _target(self, similarity: Tensor) -> Tensor:
        """Return the cosine that each concept should have."""
        if len(similarity) == 1:
            return torch.full_like(similarity, self.threshold)
        return (1 - self.relative) * self.threshold + self.relative * mean_of_others(similarity)

    @classmethod
    def citation(cls) -> str:
        """Return the BibTeX entry of the paper whose idea it follows."""
        return SGT_PAPER
