"""Semantic Guidance Tuning as published in the authors' code of March 2024."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from semguide.guidance.citations import SGT_PAPER
from semguide.guidance.geometry import cosine, perpendicular, top_quantile
from semguide.guidance.parameters import parameter
from semguide.guidance.rule import Correction, Predictions, Rule, Step, no_correction
from semguide.guidance.window import Window


@dataclass(frozen=True)
class SGTv2State:
    """What `SGTv2` remembers.

    Attributes:
        momentum: m_k in eps space, "concept *dims"; None before the first step, where it is 0.
        history: c_1..c_K and c_a of the last `window` steps, oldest first; each (concept + 1,).
    """

    momentum: Tensor | None = None
    history: tuple[Tensor, ...] = ()


@dataclass(frozen=True)
class SGTv2(Rule[SGTv2State]):
    """Semantic Guidance Tuning, second published form (arXiv 2312.15964, code of March 2024).

    With p = e(P) - e(0), s~_k = T_q(e(c_k) - e(0)), a = T_q(p) made orthogonal to s~_1, then s~_2, ..., c = |cos(p, .)|
    and cbar its mean over the last `window` steps before this one:

        g_k = s~_k + mu m_k,    m_k <- beta m_k + (1 - beta) g_k  at every step,    g_a = -(p - a)
        out = e(0) + w p + [warmup < i < cooldown] w_c (sum_k [cbar_k < tau_s] g_k + [cbar_a < tau_a] g_a)

    The momentum is kept in eps space, where steps are comparable. Gates and masks are hard: near a threshold, rounding
    decides. `similarity` of its corrections is c_k of the step itself.
    """

    concept_guidance_scale: float = parameter(
        8.5, "w_c, the scale of the corrections.", low=0.0, high=100.0, off=0.0, strength=True
    )
    subject_threshold: float = parameter(0.5, "tau_s, below which a concept attracts; 0: never.", low=0.0, high=1.0)
    abstract_threshold: float = parameter(
        0.5, "tau_a, below which the abstract concept is added; 0: never.", low=0.0, high=1.0
    )
    subject_percentile: float = parameter(
        0.9, "q, the quantile below which guidance is dropped; 0 drops nothing.", low=0.0, high=1.0
    )
    momentum_scale: float = parameter(
        0.5, "mu, how much of the momentum is added; 0 turns momentum off.", low=0.0, high=100.0
    )
    momentum_beta: float = parameter(
        0.5, "beta, how much of the momentum is kept from step to step.", low=0.0, high=1.0
    )
    warmup_steps: int = parameter(5, "Steps up to and including this one are not corrected, 0-based.", low=0)
    cooldown_steps: int = parameter(50, "Steps from this one on are not corrected.", low=0)
    window: int = parameter(5, "Steps that the gate looks back.", low=1)

    name: ClassVar[str] = "sgt-v2"

    @property
    def is_noop(self) -> bool:
        """Whether w_c is 0."""
        return self.concept_guidance_scale == 0

    def needs_concepts(self, step: int, count: int, concepts: int) -> bool:
        """Say whether a step from this one on is corrected: momentum and gate remember all steps before it."""
        return super().needs_concepts(step, count, concepts) and self._window.ahead(step, count)

    def initial_state(self, num_concepts: int) -> SGTv2State:
        """Return no momentum and no history."""
        return SGTv2State()

    def correct(self, predictions: Predictions, step: Step, state: SGTv2State) -> tuple[Correction, SGTv2State]:
        """Return the corrections of the gated concepts with their momentum, and of the abstract concept."""
        prompt = predictions.prompt_guidance
        subjects = torch.stack([top_quantile(s, self.subject_percentile) for s in predictions.concept_guidance])
        abstract = self._abstract(prompt, subjects)
        similarities = torch.stack([cosine(prompt, x).abs() for x in (*subjects, abstract)])
        edits, momentum = self._with_momentum(subjects, state.momentum, step.eps_scale)
        following = SGTv2State(momentum, (*state.history, similarities)[-self.window :])
        similarity, abstract_similarity = similarities[:-1], similarities[-1]
        if self.is_noop or not self._window.contains(step.index) or not state.history:
            return no_correction(predictions, similarity, abstract_similarity), following
        gate, abstract_gate = self._gates(state.history)
        weight = self.concept_guidance_scale * gate
        delta = -self.concept_guidance_scale * abstract_gate * (prompt - abstract)
        for k, edit in enumerate(edits):
            delta = delta + weight[k] * edit
        delta = delta.to(predictions.uncond.dtype)
        return Correction(delta, similarity, gate, weight, abstract_similarity), following

    @property
    def _window(self) -> Window:
        return Window.between(self.warmup_steps, self.cooldown_steps)

    def _abstract(self, prompt: Tensor, subjects: Tensor) -> Tensor:
        """Return a: T_q(p) made orthogonal to one subject after the other."""
        abstract = top_quantile(prompt, self.subject_percentile)
        for subject in subjects:
            abstract = perpendicular(abstract, subject)
        return abstract

    def _with_momentum(
        self, subjects: Tensor, momentum: Tensor | None, eps_scale: Tensor | float
    ) -> tuple[Tensor, Tensor]:
        """Return g_k in the model's own parametrisation and the next m_k in eps space."""
        before = torch.zeros_like(subjects) if momentum is None else momentum
        edits = subjects + self.momentum_scale * before / eps_scale
        return edits, self.momentum_beta * before + (1 - self.momentum_beta) * edits * eps_scale

    def _gates(self, history: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        """Return [cbar_k < tau_s] per concept and [cbar_a < tau_a], as numbers."""
        means = torch.stack(history).mean(dim=0)
        gate = (means[:-1] < self.subject_threshold).to(means)
        return gate, (means[-1] < self.abstract_threshold).to(means)

    @classmethod
    def citation(cls) -> str:
        """Return the BibTeX entry of the paper."""
        return SGT_PAPER
