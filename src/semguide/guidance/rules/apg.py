"""Adaptive projected guidance: plain guidance without most of what lies along the prompt's prediction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from semguide.guidance.citations import APG_PAPER
from semguide.guidance.geometry import norm, perpendicular, safe_divide, upcast_half
from semguide.guidance.parameters import parameter
from semguide.guidance.rule import Correction, Predictions, Rule, Step, no_correction


@dataclass(frozen=True)
class APG(Rule[Tensor | None]):
    """Adaptive projected guidance (arXiv 2410.02416), which knows no concepts.

    With p = e(P) - e(0) and d = 0 before the first step, at every step:

        d   <- p + momentum d
        d'   = d min(1, threshold / |d|)
        out  = e(0) + w (d'_perp + parallel d'_par),    d'_par = (<d', e(P)> / |e(P)|^2) e(P),   d'_perp = d' - d'_par

    The paper works on denoised images; here, as in diffusers' `AdaptiveProjectedGuidance`, which equals this rule, the
    model's own predictions are projected, so that the part along e(P) is another one. The threshold is a length in
    their units, and grows as the square root of the size of the latents.

    It costs 2 evaluations a step.
    """

    threshold: float = parameter(
        15.0, "r, the greatest length of the guidance before the scale; 0: any.", low=0.0, high=1e6
    )
    parallel: float = parameter(
        0.0, "eta, how much is kept of what lies along the prompt's prediction; 1: all.", low=0.0, high=1.0
    )
    momentum: float = parameter(
        -0.5, "beta, how much of the last step's guidance is added; negative numbers damp it.", low=-1.0, high=1.0
    )

    name: ClassVar[str] = "apg"
    uses_concepts: ClassVar[bool] = False

    @property
    def is_noop(self) -> bool:
        """Whether nothing is limited, projected or remembered."""
        return self.threshold == 0 and self.parallel == 1 and self.momentum == 0

    def correct(self, predictions: Predictions, step: Step, state: Tensor | None) -> tuple[Correction, Tensor]:
        """Return w (d'_perp + parallel d'_par - p), and d, "*dims" in the units of the predictions."""
        guidance = predictions.prompt_guidance
        moved = guidance if state is None else guidance + self.momentum * state
        limited = moved
        if self.threshold:
            limited = moved * safe_divide(norm(moved).new_full((), self.threshold), norm(moved)).clamp(max=1.0)
        across = perpendicular(limited, upcast_half(predictions.cond))
        delta = step.guidance_scale * (across + self.parallel * (limited - across) - guidance)
        plain = no_correction(predictions, predictions.similarity)
        if self.is_noop:
            return plain, moved
        return Correction(delta.to(predictions.uncond.dtype), plain.similarity, plain.gate, plain.weight), moved

    @classmethod
    def citation(cls) -> str:
        """Return the BibTeX entry of adaptive projected guidance."""
        return APG_PAPER
