"""Semantic Guidance Tuning as published in the authors' code of December 2023."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from semguide.guidance.citations import SGT_PAPER
from semguide.guidance.geometry import cosine, perpendicular, top_quantile
from semguide.guidance.parameters import parameter
from semguide.guidance.rule import Correction, Predictions, Rule, Step, no_correction
from semguide.guidance.window import Window


@dataclass(frozen=True)
class SGTv1(Rule[None]):
    """Semantic Guidance Tuning, first published form (arXiv 2312.15964, code of December 2023).

    With p = e(P) - e(0), s_k = e(c_k) - e(0), a = perp(p, sum_k s_k), c = |cos(p, .)|:

        G   = [c_a < tau_a] T_{q = c_a}(w_c a) + sum_k ([c_k < tau_s] - [c_k > u]) w_c perp(s_k, p)
        out = e(0) + w p + [warmup <= i <= cooldown] G

    The gates are hard: near a threshold, rounding decides. `abstract` of its corrections is c_a.
    """

    concept_guidance_scale: float = parameter(
        7.5, "w_c, the scale of the corrections.", low=0.0, high=100.0, off=0.0, strength=True
    )
    subject_threshold: float | Literal["auto"] = parameter(
        "auto", 'tau_s, below which a concept attracts; "auto": 1 / (K + 1); 0: never.', low=0.0, high=1.0
    )
    abstract_threshold: float = parameter(
        0.7, "tau_a, below which the abstract concept is added; 0: never.", low=0.0, high=1.0
    )
    upper_bound: float = parameter(0.8, "u, above which a concept is pushed away; 1: never.", low=0.0, high=1.0)
    warmup_steps: int = parameter(0, "First step that is corrected, 0-based.", low=0)
    cooldown_steps: int = parameter(50, "Last step that is corrected.", low=0)

    name: ClassVar[str] = "sgt-v1"

    @property
    def is_noop(self) -> bool:
        """Whether w_c is 0."""
        return self.concept_guidance_scale == 0

    def needs_concepts(self, step: int, count: int, concepts: int) -> bool:
        """Say whether the step is in the window: nothing is remembered from step to step."""
        return super().needs_concepts(step, count, concepts) and self._window.contains(step)

    def correct(self, predictions: Predictions, step: Step, state: None) -> tuple[Correction, None]:
        """Return w_c-weighted corrections of the gated concepts and of the abstract concept."""
        del state
        prompt, subjects = predictions.prompt_guidance, predictions.concept_guidance
        abstract = perpendicular(prompt, subjects.sum(dim=0))
        similarity = torch.stack([cosine(prompt, subject).abs() for subject in subjects])
        abstract_similarity = cosine(prompt, abstract).abs()
        if self.is_noop or not self._window.contains(step.index):
            return no_correction(predictions, similarity, abstract_similarity), None
        gate = self._gate(similarity)
        weight = self.concept_guidance_scale * gate
        delta = self._abstract_term(abstract, abstract_similarity)
        for k, subject in enumerate(subjects):
            delta = delta + weight[k] * perpendicular(subject, prompt)
        return Correction(delta.to(predictions.uncond.dtype), similarity, gate, weight, abstract_similarity), None

    @property
    def _window(self) -> Window:
        return Window.closed(self.warmup_steps, self.cooldown_steps)

    def _gate(self, similarity: Tensor) -> Tensor:
        """Return [c_k < tau_s] - [c_k > u], one of -1, 0, 1 per concept."""
        threshold = 1 / (len(similarity) + 1) if self.subject_threshold == "auto" else self.subject_threshold
        return (similarity < threshold).to(similarity) - (similarity > self.upper_bound).to(similarity)

    def _abstract_term(self, abstract: Tensor, similarity: Tensor) -> Tensor:
        """Return [c_a < tau_a] T_{q = c_a}(w_c a)."""
        term = top_quantile(self.concept_guidance_scale * abstract, similarity)
        return torch.where(similarity < self.abstract_threshold, term, torch.zeros_like(term))

    @classmethod
    def citation(cls) -> str:
        """Return the BibTeX entry of the paper."""
        return SGT_PAPER
