"""SEGA: semantic guidance towards edit prompts, here the concepts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from semguide.guidance.checks import check_number, check_steps
from semguide.guidance.citations import SEGA_PAPER
from semguide.guidance.geometry import top_quantile
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
    momentum is kept in eps space, where steps are comparable. Its negative edits, per-edit weights and per-edit windows
    are left out. The masks are hard: near the quantile, rounding decides.

    It costs 2 + K evaluations a step, also during the warm-up if there is momentum.

    Attributes:
        guidance_scale: w, >= 1.
        concept_guidance_scale: s_e, >= 0 (0 turns the rule off).
        concept_percentile: q (the paper's lambda) in [0, 1], the quantile below which guidance is dropped (0 drops
            nothing).
        warmup_steps: First step that is corrected, 0-based.
        momentum_scale: s_m, >= 0 (0 turns momentum off).
        momentum_beta: beta in [0, 1].
    """

    concept_guidance_scale: float = 5.0
    concept_percentile: float = 0.9
    warmup_steps: int = 10
    momentum_scale: float = 0.1
    momentum_beta: float = 0.4

    name: ClassVar[str] = "sega"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("concept_guidance_scale", self.concept_guidance_scale, 0.0, note="0 turns the rule off")
        check_number("concept_percentile", self.concept_percentile, 0.0, 1.0, note="0 drops nothing")
        check_steps("warmup_steps", self.warmup_steps)
        check_number("momentum_scale", self.momentum_scale, 0.0, note="0 turns momentum off")
        check_number("momentum_beta", self.momentum_beta, 0.0, 1.0)

    @property
    def is_noop(self) -> bool:
        """Whether s_e is 0."""
        return self.concept_guidance_scale == 0

    def needs_concepts(self, step: int, count: int) -> bool:
        """Say whether the step is corrected or, where there is momentum, a later one is."""
        if self.is_noop:
            return False
        window = Window.closed(self.warmup_steps, count - 1)
        remembers = self.momentum_scale > 0 and self.momentum_beta < 1
        return window.ahead(step, count) if remembers else window.contains(step)

    def initial_state(self, num_concepts: int) -> None:
        """Return None: the momentum v, "*dims" in eps space, is 0 before the first step."""
        del num_concepts

    def correct(self, predictions: Predictions, step: Step, state: Tensor | None) -> tuple[Correction, Tensor]:
        """Return gamma after the warm-up, and the next v."""
        subjects = self.concept_guidance_scale * predictions.concept_guidance
        edit = torch.stack([top_quantile(subject, self.concept_percentile) for subject in subjects]).sum(dim=0)
        momentum = torch.zeros_like(edit) if state is None else state
        edit = edit + self.momentum_scale * momentum / step.eps_scale
        following = self.momentum_beta * momentum + (1 - self.momentum_beta) * edit * step.eps_scale
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
