"""Perp-Neg: negative prompts that leave the main prompt alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from semguide.guidance.citations import PERP_NEG_PAPER
from semguide.guidance.geometry import perpendicular
from semguide.guidance.parameters import parameter
from semguide.guidance.rule import Correction, Predictions, Rule, Step, no_correction


@dataclass(frozen=True)
class PerpNeg(Rule[None]):
    """Perp-Neg (arXiv 2304.04968): steer away from the concepts, which are what the image should NOT show.

    With p = e(P) - e(0) and s_k = e(c_k) - e(0) of the unwanted concepts, at every step:

        out = e(0) + w (p - negative_weight sum_k perp(s_k, p)),    perp(x, y) = x - (<x, y> / |y|^2) y

    A plain negative prompt also removes what it shares with the prompt; here the component along p is spared.

    It applies where somebody can say what is unwanted: give those concepts by hand (of "a red book and a yellow vase",
    "a red vase"), and leave the pipeline's negative prompt empty, since e(0) is the empty prompt. The concepts that the
    decomposition finds are the wanted ones; steering away from them is not what the paper proposes.

    It costs 2 + K evaluations a step. The weight has no published default: the example of the authors' code has 1.5.
    """

    negative_weight: float = parameter(
        1.0, "Weight of each unwanted concept in units of w.", low=0.0, high=100.0, off=0.0, strength=True
    )

    name: ClassVar[str] = "perp-neg"
    repels: ClassVar[bool] = True

    @property
    def is_noop(self) -> bool:
        """Whether the weight is 0."""
        return self.negative_weight == 0

    def correct(self, predictions: Predictions, step: Step, state: None) -> tuple[Correction, None]:
        """Return the perpendicular components of the concepts, taken away."""
        del state
        similarity = predictions.similarity
        if self.is_noop:
            return no_correction(predictions, similarity), None
        prompt, scale = predictions.prompt_guidance, step.guidance_scale * self.negative_weight
        components = [perpendicular(subject, prompt) for subject in predictions.concept_guidance]
        delta = -scale * torch.stack(components).sum(dim=0)
        gate = -torch.ones_like(similarity)
        return Correction(delta.to(predictions.uncond.dtype), similarity, gate, scale * gate), None

    @classmethod
    def citation(cls) -> str:
        """Return the BibTeX entry of Perp-Neg."""
        return PERP_NEG_PAPER
