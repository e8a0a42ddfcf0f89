"""Composable Diffusion: the concepts' guidances summed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from semguide.errors import InvalidArgument
from semguide.guidance.citations import COMPOSABLE_PAPER
from semguide.guidance.parameters import parameter
from semguide.guidance.rule import Correction, Predictions, Rule, Step, no_correction


@dataclass(frozen=True)
class Composable(Rule[None]):
    """Composable Diffusion's conjunction (arXiv 2206.01714): sum the guidances of the concepts.

    With p = e(P) - e(0) and s_k = e(c_k) - e(0), at every step:

        out = e(0) + w (prompt_weight p + concept_weight sum_k s_k)

    As published the prompt is nothing but its concepts (prompt_weight 0), each with the weight w (concept_weight 1); a
    prompt_weight of 1 counts the whole prompt as one more concept. Negative weights, the paper's NOT, are left out.

    It costs 2 + K evaluations a step; alone it would take 1 + K, but the pipeline evaluates the whole prompt anyway.
    """

    concept_weight: float = parameter(
        1.0,
        "Weight of each concept's guidance in units of w; 0 with prompt_weight 1 turns the rule off.",
        low=0.0,
        high=100.0,
        strength=True,
    )
    prompt_weight: float = parameter(
        0.0, "Weight of the whole prompt's guidance in units of w; 0 leaves it out.", low=0.0, high=100.0
    )

    name: ClassVar[str] = "composable"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.concept_weight == 0 and self.prompt_weight != 1:
            rule = f"must be > 0 unless prompt_weight, here {self.prompt_weight:g}, is 1 (which is plain guidance)"
            raise InvalidArgument("concept_weight", rule, self.concept_weight)

    @property
    def is_noop(self) -> bool:
        """Whether the concepts' weight is 0 and the prompt's is 1."""
        return self.concept_weight == 0

    def correct(self, predictions: Predictions, step: Step, state: None) -> tuple[Correction, None]:
        """Return the concepts' guidances less the share of the prompt's guidance that they replace."""
        del state
        similarity = predictions.similarity
        if self.is_noop:
            return no_correction(predictions, similarity), None
        delta = (self.prompt_weight - 1) * predictions.prompt_guidance
        delta = step.guidance_scale * (delta + self.concept_weight * predictions.concept_guidance.sum(dim=0))
        gate = torch.ones_like(similarity)
        weight = step.guidance_scale * self.concept_weight * gate
        return Correction(delta.to(predictions.uncond.dtype), similarity, gate, weight), None

    @classmethod
    def citation(cls) -> str:
        """Return the BibTeX entry of Composable Diffusion."""
        return COMPOSABLE_PAPER
