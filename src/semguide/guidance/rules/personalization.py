"""Personalization guidance: away from the model before it was personalised, or from what lies between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from semguide.guidance.citations import PERSONALIZATION_PAPER
from semguide.guidance.parameters import parameter
from semguide.guidance.rules.cfg import CFG


@dataclass(frozen=True)
class Personalization(CFG):
    """Personalization guidance (arXiv 2508.00319): e(0) comes from a weaker model, between pre-trained and fine-tuned.

    With e_s the denoiser whose adapters (LoRAs) have s times their scale, so that e_0 is the pre-trained model and e_1
    the fine-tuned one, at every step:

        out = e_omega(0) + w (e_1(P) - e_omega(0))

    The paper interpolates weights, theta = (1 - omega) theta_pre + omega theta_ft, which for a LoRA is its scale. A
    small omega moves away from what the model knew before and favours the subject; a large one leaves the prompt more
    say; at 1 it is classifier-free guidance of the fine-tuned model. docs/results.md measures both over omega. The text
    encoder keeps its own adapters.

    It needs a LoRA on the denoiser, uses no concepts, and costs 2 evaluations a step, in a call each.
    """

    omega: float = parameter(
        0.9,
        "Scale of the LoRAs for e(0), as a share of their own: 0 the pre-trained model, 1 plain guidance.",
        low=0.0,
        high=1.0,
        off=1.0,
    )

    name: ClassVar[str] = "personalization"
    uses_concepts: ClassVar[bool] = False

    @property
    def null_adapters(self) -> float:
        """Omega."""
        return self.omega

    @property
    def is_noop(self) -> bool:
        """Whether omega is 1."""
        return self.omega == 1.0

    @classmethod
    def citation(cls) -> str:
        """Return the BibTeX entry of personalization guidance."""
        return PERSONALIZATION_PAPER
