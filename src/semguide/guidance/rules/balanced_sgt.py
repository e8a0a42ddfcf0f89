"""The project's own rule, its default: the paper's idea, place by place, with an equal share for every concept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from semguide.guidance.checks import check_window
from semguide.guidance.citations import SGT_PAPER, SOFTWARE
from semguide.guidance.geometry import affinity, dot_over_channels, safe_divide, scale_over_channels
from semguide.guidance.parameters import parameter
from semguide.guidance.rule import Correction, Predictions, Rule, Step, no_correction
from semguide.guidance.window import Window

SINKHORN_ITERATIONS = 20
"""Passes that balance the shares; at the default sharpness they are equal to a thousandth long before."""


@dataclass(frozen=True)
class BalancedSGT(Rule[None]):
    """Give every concept its share of the picture, where the prompt's guidance leans towards it most.

    With p = e(P) - e(0), s_k = e(c_k) - e(0), K concepts and <., .> over the channels of one place x of the latents:

        d_k    = s_k - mean_j s_j                    what sets the concept apart from the others
        a_k(x) = <d_k(x), p(x)> / rms                how much p leans towards it there (rms: over all k and x)
        m_k(x) = softmax_k(sharpness a_k(x) + o_k)   the places that are the concept's
        o_k    such that sum_x |p(x)|^2 m_k(x) is the same for all k
        out    = e(0) + w p + [start <= i/n < stop] w strength sum_k m_k d_k

    A picture loses a concept when p leans towards another one everywhere; the offsets o_k then give the lagging concept
    those places that are nearest to being its own. Every term is p or s_k times a number without unit, so the
    parameters mean the same for all models, prediction types, guidance scales and numbers of concepts and steps. A
    lone concept has nothing to compete with: the correction is zero, and it is not evaluated.

    Where there is no guidance, as with checkpoints of a few steps, the mean of e(c_k) takes the place of e(0), and w is
    1: d_k is what it was, and p is what the prompt adds to what its concepts have in common.

    The defaults were chosen on validation prompts of the embedded checkpoint; docs/results.md has the search.
    """

    strength: float = parameter(
        2.0,
        "How much of what sets a concept apart is added in its places.",
        low=0.0,
        high=100.0,
        off=0.0,
        strength=True,
    )
    sharpness: float = parameter(
        1.0,
        "How decidedly a place is one concept's; at 0 every place is everyone's.",
        low=0.0,
        high=100.0,
        off=0.0,
    )
    start: float = parameter(0.0, "First corrected step, as a fraction of the steps.", low=0.0, high=1.0)
    stop: float = parameter(
        0.4, "End of the corrected steps, excluded, as a fraction of the steps.", low=0.0, high=1.0, off=0.0
    )

    name: ClassVar[str] = "sgt-balanced"
    aliases: ClassVar[tuple[str, ...]] = ("sgt",)
    min_concepts: ClassVar[int] = 2
    needs_uncond: ClassVar[bool] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_window(self.start, self.stop)

    @property
    def is_noop(self) -> bool:
        """Whether strength or sharpness is 0."""
        return self.strength == 0 or self.sharpness == 0

    def needs_concepts(self, step: int, count: int, concepts: int) -> bool:
        """Say whether the step is in the window: nothing is remembered from step to step."""
        return super().needs_concepts(step, count, concepts) and Window.fraction(self.start, self.stop, count).contains(
            step
        )

    def correct(self, predictions: Predictions, step: Step, state: None) -> tuple[Correction, None]:
        """Return what sets each concept apart, in its places.

        The gate is what a concept lacks of its share before the balance, from 0 to 1; the weight its strength over the
        picture on average.
        """
        del state
        similarity = predictions.similarity
        if not self.needs_concepts(step.index, step.count, len(similarity)):
            return no_correction(predictions, similarity), None
        prompt, subjects = predictions.prompt_guidance, predictions.concept_guidance
        contrast = subjects - subjects.mean(dim=0)
        leaning = self.sharpness * affinity(prompt, contrast)
        size = dot_over_channels(prompt, prompt)
        size = safe_divide(size, size.sum())
        places = balanced(leaning, size)
        share = (leaning.softmax(dim=0) * size).sum(dim=1)
        deficit = (1 - len(subjects) * share).clamp(0.0, 1.0)
        weight = self.strength * places.mean(dim=1)
        delta = sum(
            (scale_over_channels(d, m) for m, d in zip(places, contrast, strict=True)), torch.zeros_like(prompt)
        )
        delta = step.guidance_scale * self.strength * delta
        return Correction(delta.to(predictions.uncond.dtype), similarity, deficit, weight), None

    @classmethod
    def citation(cls) -> str:
        """Return the BibTeX entries of the paper whose idea it follows and of this software."""
        return f"{SGT_PAPER}\n\n{SOFTWARE}"


def balanced(affinity: Tensor, size: Tensor) -> Tensor:
    """Share out the places so that every concept gets as much.

    That is the optimal transport of the places to the concepts with an entropy term, by Sinkhorn's iteration
    (arXiv 1306.0895).

    Args:
        affinity: (concept, place), how much each place leans towards each concept.
        size: (place,), what each place counts, summing to 1.

    Returns:
        (concept, place), summing to 1 over the concepts, and to nearly 1 / concepts over the places by size.
    """
    offset = torch.zeros_like(affinity[:, :1])
    floor = torch.finfo(affinity.dtype).tiny
    for _ in range(SINKHORN_ITERATIONS):
        share = ((affinity + offset).softmax(dim=0) * size).sum(dim=1, keepdim=True)
        offset = offset - (len(affinity) * share + floor).log()
    return (affinity + offset).softmax(dim=0)
