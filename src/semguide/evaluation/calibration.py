"""Fit the detector, and measure its calibration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semguide.errors import InvalidArgument
from semguide.evaluation.observation import Observations, Values
from semguide.guidance.detector import Detector


def fit_detector(observed: Observations, ridge: float = 1e-3) -> Detector:
    """Fit the detector's three numbers by logistic regression.

    Args:
        observed: Concepts with what became of them, from validation prompts.
        ridge: Weight of the squared slopes, per concept, >= 0.

    Raises:
        InvalidArgument: All concepts are right, or all are wrong.
    """
    if observed.right.all() or not observed.right.any():
        raise InvalidArgument("observed", "must hold right and wrong concepts", remedy="observe more prompts")
    stop = Detector().stop
    features = np.stack([observed.early(name, stop) for name in ("signed_cosine", "relative_cosine")], axis=1)
    intercept, cosine, relative = _logistic(features, observed.right.astype(np.float64), ridge).tolist()
    return Detector(intercept, cosine, relative, stop)


def _logistic(features: Values, right: Values, ridge: float) -> Values:
    """Return intercept and slopes by Newton's method."""
    design = _array(np.concatenate([np.ones((len(features), 1)), features], axis=1))
    across = _array(np.transpose(design))
    penalty = _array([0.0, *[ridge * len(right)] * features.shape[1]])
    slopes = _array(np.zeros(design.shape[1]))
    for _ in range(50):
        chance = 1 / (1 + np.exp(-_array(design @ slopes)))
        curvature = _array(across @ (design * (chance * (1 - chance))[:, None])) + np.eye(len(penalty)) * penalty
        slopes = _array(slopes + np.linalg.solve(curvature, across @ (right - chance) - penalty * slopes))
    return slopes


def _array(values: Any) -> Values:
    return np.asarray(values, dtype=np.float64)


@dataclass(frozen=True)
class Reliability:
    """How probabilities compare with what happened.

    Attributes:
        brier: Mean squared difference of probability and outcome; 0 is perfect.
        base: The same for a constant guess of the share that is right.
        predicted: (bins,) mean probability of each bin, bins of equally many concepts.
        happened: (bins,) share of each bin that was right.
    """

    brier: float
    base: float
    predicted: Values
    happened: Values


def reliability(probability: Values, right: NDArray[np.bool_], bins: int = 8) -> Reliability:
    """Compare probabilities with outcomes.

    Args:
        probability: (concepts,) in [0, 1].
        right: (concepts,) outcomes.
        bins: Points of the diagram, >= 1; fewer where there are fewer concepts.
    """
    outcome = right.astype(np.float64)
    parts = np.array_split(np.argsort(probability, kind="stable"), min(bins, len(outcome)))
    return Reliability(
        brier=float(np.square(probability - outcome).mean()),
        base=float(outcome.mean() * (1 - outcome.mean())),
        predicted=np.array([probability[part].mean() for part in parts]),
        happened=np.array([outcome[part].mean() for part in parts]),
    )


def probabilities(detector: Detector, observed: Observations) -> Values:
    """Return the detector's probability of every observed concept: (concepts,)."""
    cosine = observed.early("signed_cosine", detector.stop)
    relative = observed.early("relative_cosine", detector.stop)
    return detector.chance(cosine, relative)
