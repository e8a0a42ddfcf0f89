"""Criteria by which a seed is kept or dropped after its first steps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from semguide.errors import InvalidArgument
from semguide.guidance import Predictions, Step
from semguide.guidance.checks import check_number, check_whole
from semguide.guidance.detector import Detector
from semguide.guidance.signal_score import STOP, chance, first_steps, log_odds_of, step_terms
from semguide.guidance.signals import prompt_energy


class Criterion(Protocol):
    """A score of the first steps of an image; the images with the highest are kept."""

    @property
    def stop(self) -> float:
        """End of the first steps, excluded, as a fraction of all steps, in (0, 1]."""
        ...

    def needs_concepts(self, step: int, count: int) -> bool:
        """Say whether the concepts are to be evaluated at a step, one of the first."""
        ...

    def value(self, step: Step, predictions: Predictions) -> Tensor | None:
        """Return what a step says, on its device; None for nothing."""
        ...

    def score(self, values: Sequence[Tensor]) -> float:
        """Return the score of an image from what its first steps said; the higher the better."""
        ...


def looks_at(criterion: Criterion, step: int, count: int) -> bool:
    """Say whether a criterion wants the concepts of a step (0-based) out of `count`: it sees the first ones only."""
    return step < first_steps(criterion.stop, count) and criterion.needs_concepts(step, count)


def value_at(criterion: Criterion, step: Step, predictions: Predictions) -> Tensor | None:
    """Return what a criterion takes from a step; None from one that is not of the first, or says nothing."""
    return criterion.value(step, predictions) if step.index < first_steps(criterion.stop, step.count) else None


@dataclass(frozen=True)
class DetectorScore:
    """The detector's probability that every concept will be right, the concepts taken as independent.

    Attributes:
        stop: End of the first steps, excluded, as a fraction of all steps, in (0, 1].
        every: Look at the concepts at every so many of the first steps, the last of them included, >= 1. Looking costs
            an evaluation per concept, unless the rule needs them anyway.
    """

    stop: float = 1 / 3
    every: int = 1

    def __post_init__(self) -> None:
        check_number("stop", self.stop, 1e-6, 1.0, note="a fraction of the steps")
        check_whole("every", self.every, 1)

    def needs_concepts(self, step: int, count: int) -> bool:
        """Say whether it looks at the step."""
        before = first_steps(self.stop, count) - 1 - step
        return before >= 0 and before % self.every == 0

    def value(self, step: Step, predictions: Predictions) -> Tensor | None:
        """Return the signed cosines of the concepts, at the steps at which it looks."""
        looks = self.needs_concepts(step.index, step.count) and len(predictions.concepts)
        return predictions.similarity if looks else None

    def score(self, values: Sequence[Tensor]) -> float:
        """Return the product of the probabilities of `alignment`, in [0, 1]."""
        return float(np.prod(self.alignment(values)))

    def alignment(self, values: Sequence[Tensor]) -> list[float]:
        """Return the probability of each concept.

        Raises:
            InvalidArgument: There are no concepts.
        """
        seen = torch.stack(list(values)).cpu().double().numpy() if values else np.empty((0, 0))
        found = Detector(stop=1.0).probability(seen) if seen.size else None
        if found is None:
            raise InvalidArgument("concepts", "must be one or more, for the detector to choose by", [], "name them")
        return found.tolist()


@dataclass(frozen=True)
class SignalScore:
    """The probability that every concept will be right, by signals of the first steps; holds under a rule, too.

    What `semguide.guidance.signal_score` says, which is also the `alignment_score` of a finished image. It was fitted
    on validation prompts of the embedded checkpoints, under `BalancedSGT` and under plain guidance (docs/results.md);
    elsewhere take the order of seeds, not the probabilities.

    Attributes:
        stop: End of the first steps, excluded, as a fraction of all steps, in (0, 1].
    """

    stop: float = STOP

    def __post_init__(self) -> None:
        check_number("stop", self.stop, 1e-6, 1.0, note="a fraction of the steps")

    def needs_concepts(self, step: int, count: int) -> bool:
        """Say whether the step is one of the first."""
        return step < first_steps(self.stop, count)

    def value(self, step: Step, predictions: Predictions) -> Tensor | None:
        """Return what a step adds to the log-odds of each concept, (2, concept): to the mean, and if it is the last."""
        return step_terms(step, predictions) if len(predictions.concepts) else None

    def score(self, values: Sequence[Tensor]) -> float:
        """Return the product of the probabilities of the concepts, in [0, 1]."""
        return math.prod(self.alignment(values))

    def alignment(self, values: Sequence[Tensor]) -> list[float]:
        """Return the probability of each concept, in [0, 1].

        Raises:
            InvalidArgument: There are no concepts.
        """
        if not values:
            raise InvalidArgument("concepts", "must be one or more, to choose by", [], "name them")
        return [chance(odds) for odds in log_odds_of(values)]


@dataclass(frozen=True)
class GuidanceEnergy:
    """CFG-Rejection (arXiv 2505.23343): the sum of |e(P) - e(0)|^2 in eps space over the first steps.

    Attributes:
        stop: End of the first steps, excluded, as a fraction of all steps, in (0, 1].
    """

    stop: float = 1 / 3

    def __post_init__(self) -> None:
        check_number("stop", self.stop, 1e-6, 1.0, note="a fraction of the steps")

    def needs_concepts(self, step: int, count: int) -> bool:
        """Never."""
        del step, count
        return False

    def value(self, step: Step, predictions: Predictions) -> Tensor | None:
        """Return the step's summand, (1,)."""
        return prompt_energy(predictions, step).reshape(1)

    def score(self, values: Sequence[Tensor]) -> float:
        """Return the sum."""
        return float(torch.cat(list(values)).cpu().double().sum())
