"""FOCUS: subjects attended to at places of their own, by a control of the flow's velocity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from torch import Tensor

from semguide.evaluation.sampling_methods.attention_losses import focus_loss
from semguide.evaluation.sampling_methods.attention_maps import PromptTokens, Subject
from semguide.evaluation.sampling_methods.attention_sampler import AttentionMethod, AttentionSession, Loss
from semguide.evaluation.sampling_methods.denoiser import check_scheduler
from semguide.guidance.citations import FOCUS_PAPER
from semguide.guidance.parameters import parameter
from semguide.guidance.window import Window

_EPSILON = 1e-3
"""Keeps the control finite at pure noise."""


@dataclass(frozen=True)
class Focus(AttentionMethod):
    """FOCUS (arXiv 2510.02315): push the velocity so that the subjects' attention comes apart.

    With t the time from noise, 0, to image, 1, each step's velocity v, from image to noise, becomes

        v + strength sigma^2(t) (1 - t) grad L,  sigma^2(t) = 2 (1 - t + 0.001) / (t + 0.001),

    L being `focus_loss`. Models of eps predictions are controlled as the flows that they are in
    y = x / (alpha + sigma), where t = alpha / (alpha + sigma) and steps of DDIM are Euler's.

    It costs 2 evaluations a step, and 3 for each gradient; the last step, of which sigma^2 (1 - t) is next to nothing,
    has none.
    """

    strength: float = parameter(1.0, "Size of the control; published 1 to 5.", low=0.0, high=1000.0, off=0.0)
    stop: float = parameter(
        1.0, "End of the controlled steps, excluded, as a fraction of the steps.", low=0.0, high=1.0
    )

    name: ClassVar[str] = "focus"

    def check_scheduler(self, pipe: Any) -> None:
        """Refuse schedulers whose latents hold an unknown amount of noise.

        Raises:
            UnsupportedPipeline: It is one.
        """
        check_scheduler(pipe, self.name)

    def loss(self, tokens: PromptTokens, subjects: Sequence[Subject]) -> Loss:
        """Return the loss of all words of the concepts."""
        return partial(focus_loss, subjects=[[tokens.of(span) for span in subject.words] for subject in subjects])

    def acts(self, concepts: int) -> bool:
        """Say whether there are two subjects to be kept apart, and the control has a size."""
        return concepts > 1 and self.strength > 0

    def move(self, session: AttentionSession, x: Tensor, step: int, count: int) -> Tensor:
        """Leave the latents, and add the control to the step that follows."""
        if step + 1 < session.count and Window.fraction(0.0, self.stop, count).contains(step):
            session.drift = drift(session, x, step, self.strength)
        return x

    def evaluations_per_image(self, steps: int, concepts: int) -> int:
        """Return 2 a step, and 3 for each of the controlled ones."""
        controlled = min(Window.fraction(0.0, self.stop, steps).last + 1, steps - 1)
        return 2 * steps + 3 * controlled * self.acts(concepts)

    @classmethod
    def citation(cls) -> str:
        """Return the BibTeX entry of FOCUS."""
        return FOCUS_PAPER


def drift(session: AttentionSession, x: Tensor, step: int, strength: float) -> Tensor:
    """Return what the control of a step adds to the latents after it.

    Args:
        session: The sampling.
        x: The latents before the step.
        step: 0-based step, not the last.
        strength: Size of the control.
    """
    model = session.model
    size, size_after = (model.alpha(place) + model.sigma(place) for place in (step, step + 1))
    noise, noise_after = model.sigma(step) / size, model.sigma(step + 1) / size_after
    time = 1 - noise
    control = strength * 2 * (noise + _EPSILON) / (time + _EPSILON) * noise
    gradient = session.gradient(session.look(x, step)) * size  # in y
    return (noise_after - noise) * control * gradient * size_after
