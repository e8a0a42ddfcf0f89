"""Adaptive projected guidance of denoised images, as its paper has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from semguide.adapters.eps_scale import denoised_factors
from semguide.evaluation.sampling_methods.own_guidance import Evaluate, Guide, GuidedStep, OwnGuidance
from semguide.guidance import APG, Predictions, Step
from semguide.guidance.citations import APG_PAPER
from semguide.guidance.geometry import upcast_half
from semguide.guidance.parameters import parameter
from semguide.guidance.rule import step_evaluations


@dataclass(frozen=True)
class APGDenoised(OwnGuidance):
    """Adaptive projected guidance (arXiv 2410.02416) of the denoised images D(.), without concepts.

    The rule `APG` on D(0) and D(P) in the place of e(0) and e(P); what it makes of them is turned back into a
    prediction. The threshold is a length of denoised latents, and grows as the square root of their size.

    It costs 2 evaluations a step.
    """

    threshold: float = parameter(
        15.0, "r, the greatest length of the guidance before the scale; 0: any.", low=0.0, high=1e6
    )
    parallel: float = parameter(
        0.0, "eta, how much is kept of what lies along the prompt's denoised image; 1: all.", low=0.0, high=1.0
    )
    momentum: float = parameter(
        -0.5, "beta, how much of the last step's guidance is added; negative numbers damp it.", low=-1.0, high=1.0
    )

    name: ClassVar[str] = "apg-denoised"

    def guide(self, pipe: Any, denoiser: Any) -> Guide:
        """Return the guidance of one image.

        Raises:
            UnsupportedPipeline: The scheduler does not say how much noise the latents have.
        """
        del denoiser
        rule = APG(self.guidance_scale, self.threshold, self.parallel, self.momentum)
        state: torch.Tensor | None = None

        def guided(evaluate: Evaluate, step: GuidedStep) -> torch.Tensor:
            nonlocal state
            cond, uncond = evaluate(step.cond), evaluate(step.uncond)
            x, (kept, taken) = upcast_half(step.cond.sample), denoised_factors(pipe.scheduler, step.index)
            images = [(kept * x + taken * upcast_half(prediction))[0] for prediction in (uncond, cond)]
            seen = Predictions(images[0], images[1], images[0].new_empty((0, *images[0].shape)))
            correction, state = rule.correct(seen, Step(step.index, step.count, self.guidance_scale), state)
            found = uncond + self.guidance_scale * (cond - uncond)
            return found + (correction.delta / taken).to(found.dtype)[None]

        return guided

    def evaluations_per_image(self, steps: int, concepts: int) -> int:
        """Return 2 a step."""
        del concepts
        return steps * step_evaluations(0)

    @classmethod
    def citation(cls) -> str:
        """Return the BibTeX entry of adaptive projected guidance."""
        return APG_PAPER
