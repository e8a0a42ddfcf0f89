"""CFG-Zero*: plain guidance from the unconditional prediction at its best scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from semguide.guidance.citations import CFG_ZERO_STAR_PAPER
from semguide.guidance.geometry import inner, safe_divide, upcast_half
from semguide.guidance.parameters import parameter
from semguide.guidance.rule import Correction, Predictions, Rule, Step, no_correction


@dataclass(frozen=True)
class CFGZeroStar(Rule[None]):
    """CFG-Zero* (arXiv 2503.18886), which knows no concepts.

        s   = <e(P), e(0)> / |e(0)|^2
        out = s e(0) + w (e(P) - s e(0)),    0 at the first zero_init_steps steps

    It was made for flow models, whose velocity is zeroed at first, so that the latents stay; as such it equals
    diffusers' `ClassifierFreeZeroStarGuidance`. On models that predict eps nothing is zeroed here: their latents would
    not stay, but grow.

    It costs 2 evaluations a step, also where the prediction is zeroed.
    """

    zero_init_steps: int = parameter(
        1, "First steps whose prediction is zeroed, on models that predict no eps; published 4 % of the steps.", low=0
    )

    name: ClassVar[str] = "cfg-zero-star"
    uses_concepts: ClassVar[bool] = False

    def correct(self, predictions: Predictions, step: Step, state: None) -> tuple[Correction, None]:
        """Return (w - 1) (1 - s) e(0), or what makes the guided prediction zero."""
        del state
        uncond = upcast_half(predictions.uncond)
        if step.index < self.zero_init_steps and isinstance(step.eps_scale, Tensor):
            delta = -(uncond + step.guidance_scale * predictions.prompt_guidance)
        else:
            scale = safe_divide(inner(predictions.cond, uncond), inner(uncond, uncond))
            delta = (step.guidance_scale - 1) * (1 - scale) * uncond
        plain = no_correction(predictions, predictions.similarity)
        return Correction(delta.to(predictions.uncond.dtype), plain.similarity, plain.gate, plain.weight), None

    @classmethod
    def citation(cls) -> str:
        """Return the BibTeX entry of CFG-Zero*."""
        return CFG_ZERO_STAR_PAPER
