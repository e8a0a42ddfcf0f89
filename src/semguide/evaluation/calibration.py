"""Fit the probabilities of alignment to judged concepts, and measure their calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semguide.errors import InvalidArgument
from semguide.evaluation.rows import Row

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Judged:
    """Concepts with what the first steps said of them and what became of them.

    Attributes:
        log_odds: (concepts,) that it is right, by the first steps.
        right: (concepts,) whether the judge found it right.
        prompt: (concepts,) index of its prompt.
    """

    log_odds: Values
    right: NDArray[np.bool_]
    prompt: NDArray[np.int64]

    def only(self, chosen: NDArray[np.bool_]) -> Judged:
        """Return some of the concepts."""
        return Judged(self.log_odds[chosen], self.right[chosen], self.prompt[chosen])


def judged_concepts(rows: Sequence[Row], verdicts: Mapping[str, list[bool] | None]) -> Judged:
    """Join what the first steps of each image say with its verdict; images that have only one of them are left out.

    Args:
        rows: Of a benchmark.
        verdicts: Whether each concept is right, by the image's id.

    Raises:
        InvalidArgument: No image has both.
    """
    number = {text: index for index, text in enumerate(dict.fromkeys(row["prompt"] for row in rows))}
    parts: list[tuple[float, bool, int]] = []
    for row in rows:
        right, odds = verdicts[row["id"]], row.get("log_odds")
        if right is not None and odds is not None:
            parts += zip(odds, right, [number[row["prompt"]]] * len(right), strict=True)
    if not parts:
        raise InvalidArgument("judge", "must know what some of the prompts ask for", remedy="choose another {judge}")
    log_odds, right, prompt = zip(*parts, strict=True)
    return Judged(_array(log_odds), np.array(right, dtype=bool), np.array(prompt, dtype=np.int64))


def fit_judged(judged: Judged) -> tuple[float, float]:
    """Fit intercept and slope of the log-odds by logistic regression.

    Raises:
        InvalidArgument: All concepts are right, or all are wrong.
    """
    intercept, slope = logistic(judged.log_odds[:, None], judged.right)
    return float(intercept), float(slope)


def held_out(judged: Judged, folds: int = 5) -> Values:
    """Return the probability of every concept by a fit without the prompts of its fold.

    Args:
        judged: Concepts of at least two prompts with a right and two with a wrong one.
        folds: Parts of the prompts, >= 2; prompts of many and of few right concepts are spread evenly over them.

    Raises:
        InvalidArgument: There are too few prompts.
    """
    prompts = np.unique(judged.prompt)
    share = np.array([judged.right[judged.prompt == prompt].mean() for prompt in prompts])
    if (share < 1).sum() < 2 or (share > 0).sum() < 2:
        rule = "must have right concepts in two prompts or more, and wrong ones in two"
        raise InvalidArgument("observed", rule, remedy="observe more prompts")
    fold_of = dict(zip(prompts[np.argsort(share, kind="stable")].tolist(), range(len(prompts)), strict=True))
    fold = np.array([fold_of[prompt] % min(folds, len(prompts)) for prompt in judged.prompt.tolist()])
    found = np.empty(len(judged.right))
    for index in np.unique(fold):
        intercept, slope = fit_judged(judged.only(fold != index))
        found[fold == index] = sigmoid(intercept + slope * judged.log_odds[fold == index])
    return found


def logistic(features: Values, right: NDArray[np.bool_], ridge: float = 1e-3) -> Values:
    """Return intercept and slopes of a logistic regression, by Newton's method: (1 + features,).

    Args:
        features: (concepts, features).
        right: (concepts,) outcomes.
        ridge: Weight of the squared slopes, per concept, >= 0.

    Raises:
        InvalidArgument: All concepts are right, or all are wrong.
    """
    if right.all() or not right.any():
        raise InvalidArgument("observed", "must hold right and wrong concepts", remedy="observe more prompts")
    outcome = _array(right)
    design = _array(np.concatenate([np.ones((len(features), 1)), features], axis=1))
    across = _array(np.transpose(design))
    penalty = _array([0.0, *[ridge * len(right)] * features.shape[1]])
    slopes = _array(np.zeros(design.shape[1]))
    for _ in range(50):
        chance = sigmoid(_array(design @ slopes))
        curvature = _array(across @ (design * (chance * (1 - chance))[:, None])) + np.eye(len(penalty)) * penalty
        slopes = _array(slopes + np.linalg.solve(curvature, across @ (outcome - chance) - penalty * slopes))
    return slopes


def sigmoid(log_odds: Values) -> Values:
    """Return the probabilities of log-odds, any shape, in [0, 1]."""
    return _array(1 / (1 + np.exp(-log_odds)))


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
