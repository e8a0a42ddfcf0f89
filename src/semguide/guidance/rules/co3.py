"""The composition of CO3, without its corrector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from semguide.guidance.checks import check_window
from semguide.guidance.citations import CO3_PAPER
from semguide.guidance.geometry import norm
from semguide.guidance.parameters import parameter
from semguide.guidance.rule import Correction, Predictions, Rule, Step, no_correction
from semguide.guidance.window import Window


@dataclass(frozen=True)
class CO3Composition(Rule[None]):
    """The composition of CO3 (arXiv 2509.25940) as a guidance rule; NOT the whole method, so not its published numbers.

    It guides towards p(x | P)^(1 + contrast) / prod_k p(x | c_k)^(contrast a_k), away from images that one concept
    explains. With p = e(P) - e(0), s_k = e(c_k) - e(0) and |.| over the whole sample in eps space:

        a   = softmax_k(-closeness |e(c_k) - e(P)|)                        sums to 1
        out = e(0) + w p + [start <= i/n < stop] w contrast (p - sum_k a_k s_k)

    The weights 1 + contrast and -contrast a_k sum to 1, so composing the Tweedie means x - sigma e of the guided
    predictions, as the paper does, is the same as composing the predictions. Published: w 5 on SDXL, contrast 1,
    closeness 0.8 (0 weighs the concepts equally), the first fifth of 50 DDIM steps.

    Left out, because a rule only changes the prediction of a step: CO3 does not denoise with the composition, but makes
    new latents of it at the same noise level, ten times at the first step and several times at others, before the plain
    guided step; in its first three steps it resamples with weights that sum to 0. The distance grows with the size of
    the latents, so one closeness does not suit all models.

    It costs 2 + K evaluations a corrected step.
    """

    contrast: float = parameter(
        1.0, "How strongly the concepts are divided out.", low=0.0, high=100.0, off=0.0, strength=True
    )
    closeness: float = parameter(
        0.8,
        "How much more the concept nearest to the prompt's prediction weighs; 0: all the same.",
        low=0.0,
        high=100.0,
    )
    start: float = parameter(0.0, "First corrected step, as a fraction of the steps.", low=0.0, high=1.0)
    stop: float = parameter(
        0.2, "End of the corrected steps, excluded, as a fraction of the steps.", low=0.0, high=1.0, off=0.0
    )

    name: ClassVar[str] = "co3-composition"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_window(self.start, self.stop)

    @property
    def is_noop(self) -> bool:
        """Whether the contrast is 0."""
        return self.contrast == 0

    def needs_concepts(self, step: int, count: int, concepts: int) -> bool:
        """Say whether the step is in the window: nothing is remembered from step to step."""
        return super().needs_concepts(step, count, concepts) and Window.fraction(self.start, self.stop, count).contains(
            step
        )

    def correct(self, predictions: Predictions, step: Step, state: None) -> tuple[Correction, None]:
        """Return the prompt's guidance less the weighted mean of the concepts' guidances."""
        del state
        similarity = predictions.similarity
        if not self.needs_concepts(step.index, step.count, len(similarity)):
            return no_correction(predictions, similarity), None
        prompt, subjects = predictions.prompt_guidance, predictions.concept_guidance
        distance = torch.stack([norm(subject - prompt) for subject in subjects]) * abs(step.eps_scale)
        share = closeness_shares(distance, self.closeness).to(subjects)
        scale = step.guidance_scale * self.contrast
        delta = prompt
        for k, subject in enumerate(subjects):
            delta = delta - share[k] * subject
        delta = scale * delta
        gate = -torch.ones_like(similarity)
        return Correction(delta.to(predictions.uncond.dtype), similarity, gate, -scale * share), None

    @classmethod
    def citation(cls) -> str:
        """Return the BibTeX entry of CO3."""
        return CO3_PAPER


def closeness_shares(distance: Tensor, closeness: float) -> Tensor:
    """Return a_k = softmax_k(-closeness distance_k): the nearer a concept's prediction to the prompt's, the larger."""
    return torch.softmax(-closeness * distance, dim=0)
