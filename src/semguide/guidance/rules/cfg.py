"""Plain classifier-free guidance, the rule that adds nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from semguide.guidance.citations import CFG_PAPER
from semguide.guidance.rule import Correction, Predictions, Rule, Step, no_correction


@dataclass(frozen=True)
class CFG(Rule[None]):
    """Classifier-free guidance (arXiv 2207.12598): out = e(0) + w (e(P) - e(0)).

    With a full trace it records the signed cosines cos(p, s_k) of the trajectory that it leaves alone.
    """

    name: ClassVar[str] = "cfg"

    @property
    def is_noop(self) -> bool:
        """Always."""
        return True

    def needs_concepts(self, step: int, count: int, concepts: int) -> bool:
        """Never."""
        del step, count, concepts
        return False

    def correct(self, predictions: Predictions, step: Step, state: None) -> tuple[Correction, None]:
        """Return a zero correction that records cos(p, s_k)."""
        del step, state
        return no_correction(predictions, predictions.similarity), None

    @classmethod
    def citation(cls) -> str:
        """Return the BibTeX entry of classifier-free guidance."""
        return CFG_PAPER
