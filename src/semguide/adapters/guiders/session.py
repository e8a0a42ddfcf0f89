"""One trajectory under a guider: the rule, image by image, from the first step to the last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from semguide.adapters.eps_scale import eps_scales, first_step
from semguide.adapters.guiders.encoded_concepts import EncodedConcepts
from semguide.guidance import Predictions, Rule, RuleSession, Step, Trace
from semguide.guidance.geometry import upcast_half


class GuiderSession:
    """Adds a rule's corrections to what a guider made of a batch's predictions.

    Args:
        rule: The rule.
        guidance_scale: w of u + w (c - u), whatever arithmetic computes it.
        concepts: The concepts of the prompts.
        count: Number of steps.
        like: A prediction for all images, (image, *dims).
        before: The trajectory that this one goes on with, with what its rule remembers; None at the beginning.

    Attributes:
        rule_session: The rule's run.
    """

    def __init__(
        self,
        rule: Rule[Any],
        guidance_scale: float,
        concepts: EncodedConcepts,
        count: int,
        like: Tensor,
        before: GuiderSession | None = None,
    ) -> None:
        self.rule_session = RuleSession(rule, concepts.texts_of(len(like))) if before is None else before.rule_session
        self._guidance_scale = guidance_scale
        self._count = count
        self._eps_scales = _eps_scales(concepts, count, like.device)

    def steer(
        self, guided: Tensor, cond: Tensor, uncond: Tensor | None, concepts: Sequence[Tensor], step: int
    ) -> Tensor:
        """Add the rule's correction to the guided predictions.

        Args:
            guided: Predictions with classifier-free guidance, (image, *dims).
            cond: Predictions for the prompts, alike.
            uncond: Predictions for the negative prompts, alike; None without guidance: the mean of an image's concepts
                takes the place of each.
            concepts: Predictions for the k-th concepts of all images, alike, one tensor per concept number.
            step: 0-based step.

        Returns:
            Predictions, (image, *dims).
        """
        here = Step(step, self._count, self._guidance_scale, self._eps_scales[step])
        steered = list(guided)
        for i, names in enumerate(self.rule_session.concepts):
            if names:
                own = torch.stack([concepts[k][i] for k in range(len(names))])
                base = upcast_half(own).mean(dim=0) if uncond is None else uncond[i]
                delta = self.rule_session.correct(i, here, Predictions(base, cond[i], own))
                steered[i] = (upcast_half(guided[i]) + upcast_half(delta)).to(guided.dtype)
        return torch.stack(steered)

    def trace(self) -> Trace:
        """Return the record."""
        return self.rule_session.trace(self._count)


def _eps_scales(concepts: EncodedConcepts, count: int, device: torch.device) -> Sequence[Tensor | float]:
    """Return eps difference / raw difference of each step; 1 where the scheduler is not known."""
    scheduler = concepts.scheduler
    if scheduler is None:
        return [1.0] * count
    return eps_scales(scheduler, count, device, first_step(scheduler, count), predicts_x0=concepts.predicts_x0)
