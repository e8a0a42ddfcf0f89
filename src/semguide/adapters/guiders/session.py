"""One trajectory under a guider: the rule, image by image, from the first step to the last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from semguide.adapters.eps_scale import eps_scales, first_step
from semguide.adapters.guiders.encoded_concepts import HeldConcepts
from semguide.adapters.recorder import Recorder
from semguide.guidance import Predictions, Rule, Step, Trace
from semguide.guidance.geometry import upcast_half


class GuiderSession:
    """Keeps the rule's state of every image, and the record.

    Args:
        rule: The rule.
        guidance_scale: w of u + w (c - u), whatever arithmetic computes it.
        concepts: The concepts of the prompts.
        count: Number of steps.
        like: A prediction for all images, (image, *dims).
        before: The trajectory that this one goes on with, with what its rule remembers; None at the beginning.
    """

    def __init__(
        self,
        rule: Rule[Any],
        guidance_scale: float,
        concepts: HeldConcepts,
        count: int,
        like: Tensor,
        before: GuiderSession | None = None,
    ) -> None:
        self.texts = concepts.texts_of(len(like))
        self._rule = rule
        self._guidance_scale = guidance_scale
        self._count = count
        states = [rule.initial_state(len(names)) for names in self.texts]
        self._states = states if before is None else before._states
        self._recorder = Recorder(self.texts) if before is None else before._recorder
        self._eps_scales = _eps_scales(concepts, count, like.device)

    def steer(self, guided: Tensor, cond: Tensor, uncond: Tensor, concepts: Sequence[Tensor], step: int) -> Tensor:
        """Add the rule's correction to the guided predictions.

        Args:
            guided: Predictions with classifier-free guidance, (image, *dims).
            cond: Predictions for the prompts, alike.
            uncond: Predictions for the negative prompts, alike.
            concepts: Predictions for the k-th concepts of all images, alike, one tensor per concept number.
            step: 0-based step.

        Returns:
            Predictions, (image, *dims).
        """
        place = Step(step, self._count, self._guidance_scale, self._eps_scales[step])
        steered = list(guided)
        for i, names in enumerate(self.texts):
            if names:
                own = torch.stack([concepts[k][i] for k in range(len(names))])
                predictions = Predictions(uncond[i], cond[i], own)
                correction, self._states[i] = self._rule.correct(predictions, place, self._states[i])
                self._recorder.add(i, step, correction)
                steered[i] = (upcast_half(guided[i]) + upcast_half(correction.delta)).to(guided.dtype)
        return torch.stack(steered)

    def trace(self) -> Trace:
        """Return the record."""
        return self._recorder.trace(self._rule.name, self._count)


def _eps_scales(concepts: HeldConcepts, count: int, device: torch.device) -> Sequence[Tensor | float]:
    """Return eps difference / raw difference of each step; 1 where the scheduler is not known."""
    scheduler = concepts.scheduler
    if scheduler is None:
        return [1.0] * count
    return eps_scales(scheduler, count, device, first_step(scheduler, count), predicts_x0=concepts.predicts_x0)
