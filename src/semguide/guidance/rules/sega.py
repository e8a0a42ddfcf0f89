"""SEGA: semantic guidance towards edit prompts, here the concepts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from semguide.guidance.citations import SEGA_PAPER
from semguide.guidance.edits import with_momentum
from semguide.guidance.geometry import top_quantile
from semguide.guidance.parameters import parameter
from semguide.guidance.rule import Correction, Predictions, Rule, Step, no_correction
from semguide.guidance.window import Window


@dataclass(frozen=True)
class SEGA(Rule[Tensor | None]):
    """Semantic guidance (arXiv 2301.12247) with the concepts as positive edit prompts of weight 1.

    With p = e(P) - e(0), s_k = e(c_k) - e(0), v = 0 before the first step, and T_q keeping the entries whose size
    is at or above the q-quantile of their channel:

        gamma = sum_k T_q(s_e s_k) + s_m v,    v <- beta v + (1 - beta) gamma  at every step
        out   = e(0) + w p + [i >= warmup] gamma

    The defaults are those of the authors' pipeline in diffusers, which equals this rule on models that predict eps; the
    momentum is kept in eps space, where steps are comparable. The masks are hard: near the quantile, rounding decides.
    More or less of other things than the concepts, each with a scale, a window and a weight of its own, are edits
    (`semguide.guidance.edits`), which stand beside any rule.

    It costs 2 + K evaluations a step, also during the warm-up if there is momentum.
    """

    concept_guidance_scale: float = parameter(
        5.0, "s_e, the scale of the concepts' guidances.", low=0.0, high=100.0, off=0.0, strength=True
    )
    concept_percentile: float = parameter(
        0.9,
        "q (the paper's lambda), the quantile below which guidance is dropped; 0 drops nothing.",
        low=0.0,
        high=1.0,
    )
    warmup_steps: int = parameter(10, "First step that is corrected, 0-based.", low=0)
    momentum_scale: float = parameter(
        0.1, "s_m, how much of the momentum is added; 0 turns momentum off.", low=0.0, high=100.0
    )
    momentum_beta: float = parameter(
        0.4, "beta, how much of the momentum is kept from step to step.", low=0.0, high=1.0
    )

    name: ClassVar[str] = "sega"

    @property
    def is_noop(self) -> bool:
        """Whether s_e is 0."""
        return self.concept_guidance_scale == 0

    def needs_concepts(self, step: int, count: int, concepts: int) -> bool:
        """Say whether the step is corrected or, where there is momentum, a later one is."""
        if not super().needs_concepts(step, count, concepts):
            return False
        window = Window.closed(self.warmup_steps, count - 1)
        remembers = self.momentum_scale > 0 and self.momentum_beta < 1
        return window.ahead(step, count) if remembers else window.contains(step)

    def correct(self, predictions: Predictions, step: Step, state: Tensor | None) -> tuple[Correction, Tensor]:
        """Return gamma after the warm-up, and the next v, "*dims" in eps space; None before the first step is 0."""
        subjects = self.concept_guidance_scale * predictions.concept_guidance
        edit = torch.stack([top_quantile(subject, self.concept_percentile) for subject in subjects]).sum(dim=0)
        edit, following = with_momentum(edit, step, state, self)
        similarity = predictions.similarity
        if self.is_noop or step.index < self.warmup_steps:
            return no_correction(predictions, similarity), following
        gate = torch.ones_like(similarity)
        weight = self.concept_guidance_scale * gate
        return Correction(edit.to(predictions.uncond.dtype), similarity, gate, weight), following

    @classmethod
    def citation(cls) -> str:
        """Return the BibTeX entry of SEGA."""
        return SEGA_PAPER
