"""How likely each concept is to be right, by four signals of the first steps; holds under a rule's corrections, too.

    log-odds of concept k = intercept + sum over the signals of weight * mean or last value over the first steps

A concept's early lag says little once a rule's correction removes it. These signals say what the correction leaves:
whether the concept has places of its own (`prominence`), how far they are from another one's (`separation`), whether
another one sits in them (`agreement_overlap`), and how much further the concept alone guides (`relative_magnitude`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import torch
from torch import Tensor

from semguide.guidance.rule import Predictions, Step
from semguide.guidance.signals import SIGNALS

STOP = 0.4
"""End of the first steps, excluded, as a fraction of all steps."""


@dataclass(frozen=True)
class SignalFit:
    """The log-odds of a concept as a sum of signals, from a fit.

    Attributes:
        intercept: The constant.
        mean: Weight of each signal's mean over the first steps.
        last: Weight of each signal at the last of them.
    """

    intercept: float
    mean: Mapping[str, float]
    last: Mapping[str, float] = field(default_factory=dict[str, float])


IN_PLACES = SignalFit(
    -0.66, {"separation": 2.29, "prominence": 2.32, "agreement_overlap": -2.98}, {"relative_magnitude": -1.05}
)
"""Where rows and columns of the latents are known."""
IN_TOKENS = SignalFit(
    7.6, {"prominence": 1.56, "relative_distance": -3.51, "overlap": -4.62, "agreement_overlap": -5.06}
)
"""Where they are packed into a sequence of tokens."""


def first_steps(stop: float, count: int) -> int:
    """Return how many steps out of `count` the first ones are, at least 1."""
    return max(1, round(stop * count))


def step_terms(step: Step, predictions: Predictions) -> Tensor:
    """Return what a step adds to the log-odds of each concept, (2, concept): to the mean, and if it is the last."""
    fit = IN_PLACES if predictions.uncond.ndim > 2 else IN_TOKENS  # tokens are (token, channel)
    parts = [_weighted(weights, predictions, step) for weights in (fit.mean, fit.last)]
    return torch.stack([fit.intercept + parts[0], parts[1]])


def _weighted(weights: Mapping[str, float], predictions: Predictions, step: Step) -> Tensor:
    """Return the weighted sum of signals, 0 of none."""
    parts = [weight * SIGNALS[name](predictions, step) for name, weight in weights.items()]
    return torch.stack(parts).sum(dim=0) if parts else torch.zeros_like(predictions.similarity)


def log_odds_of(terms: Sequence[Tensor]) -> list[float]:
    """Return the log-odds of each concept. Waits for the device.

    Args:
        terms: Of each of the first steps that were looked at, in their order, what `step_terms` returned; one or more.
    """
    seen = torch.stack(list(terms)).cpu().double()
    return cast(Any, seen[:, 0].mean(dim=0) + seen[-1, 1]).tolist()


def chance(log_odds: float) -> float:
    """Return the probability of log-odds, in [0, 1]."""
    return 0.5 * (1 + math.tanh(log_odds / 2))


def score_of(log_odds: Sequence[float] | None) -> float | None:
    """Return the probability that all concepts are right, taken as independent; None where there is nothing to say."""
    return math.prod(map(chance, log_odds)) if log_odds else None


class SignalRecorder:
    """Keeps on the device what the first steps of a run say of its images; it is moved off it once, at the end."""

    def __init__(self) -> None:
        self._terms: dict[tuple[int, int], Tensor] = {}

    def add(self, image: int, step: Step, predictions: Predictions) -> None:
        """Take the predictions of an image at a step; of several in a step the last ones count."""
        if len(predictions.concepts) and step.index < first_steps(STOP, step.count):
            self._terms[image, step.index] = step_terms(step, predictions)

    def log_odds(self, images: int) -> list[list[float] | None]:
        """Return of each image the log-odds of its concepts; None where none was looked at."""
        keys = sorted(self._terms)
        sizes = [self._terms[key].shape[1] for key in keys]
        joined = torch.cat([self._terms[key] for key in keys], dim=1).cpu() if keys else torch.empty(2, 0)
        moved: Sequence[Tensor] = cast(Any, joined).split(sizes, dim=1)
        by_image: list[list[Tensor]] = [[] for _ in range(images)]
        for (image, _), terms in zip(keys, moved, strict=True):
            by_image[image].append(terms)
        return [log_odds_of(terms) if terms else None for terms in by_image]
