"""Fit the detector, and measure its calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semguide.errors import InvalidArgument
from semguide.evaluation.observation import Observations, Values
from semguide.evaluation.rows import Row
from semguide.guidance.detector import Detector


@dataclass(frozen=True)
class Judged:
    """Concepts with what the early steps said of them and what became of them.

    Attributes:
        cosine: (concepts,) mean early cosine.
        relative: (concepts,) lead over the other concepts of the image.
        right: (concepts,) whether the judge found it right.
        prompt: (concepts,) index of its prompt.
    """

    cosine: Values
    relative: Values
    right: NDArray[np.bool_]
    prompt: NDArray[np.int64]

    def only(self, chosen: NDArray[np.bool_]) -> Judged:
        """Return some of the concepts."""
        return Judged(self.cosine[chosen], self.relative[chosen], self.right[chosen], self.prompt[chosen])


def judged_concepts(rows: Sequence[Row], verdicts: Mapping[str, list[bool] | None]) -> Judged:
    """Join what the early steps of each image say with its verdict; images that have only one of them are left out.

    Args:
        rows: Of a benchmark.
        verdicts: Whether each concept is right, by the image's id.

    Raises:
        InvalidArgument: No image has both.
    """
    number = {text: index for index, text in enumerate(dict.fromkeys(row["prompt"] for row in rows))}
    parts: list[tuple[float, float, bool, int]] = []
    for row in rows:
        right, steps = verdicts[row["id"]], row["similarity"]
        if right is None or steps is None:
            continue
        cosine, relative = Detector().features(_array([step or [None] * len(right) for step in steps]))
        if not np.isnan(cosine).any():
            of_prompt = [number[row["prompt"]]] * len(right)
            parts += zip(cosine.tolist(), relative.tolist(), right, of_prompt, strict=True)
    if not parts:
        raise InvalidArgument("judge", "must know what some of the prompts ask for", remedy="choose another {judge}")
    cosine, relative, right, prompt = zip(*parts, strict=True)
    return Judged(_array(cosine), _array(relative), np.array(right, dtype=bool), np.array(prompt, dtype=np.int64))


def fit_detector(observed: Observations, ridge: float = 1e-3) -> Detector:
    """Fit the detector's three numbers by logistic regression.

    Args:
        observed: Concepts with what became of them, from validation prompts.
        ridge: Weight of the squared slopes, per concept, >= 0.

    Raises:
        InvalidArgument: All concepts are right, or all are wrong.
    """
    stop = Detector().stop
    cosine, relative = (observed.early(name, stop) for name in ("signed_cosine", "relative_cosine"))
    return fit_judged(Judged(cosine, relative, observed.right, observed.prompt), ridge)


def fit_judged(judged: Judged, ridge: float = 1e-3) -> Detector:
    """Fit the detector's three numbers by logistic regression.

    Raises:
        InvalidArgument: All concepts are right, or all are wrong.
    """
    if judged.right.all() or not judged.right.any():
        raise InvalidArgument("observed", "must hold right and wrong concepts", remedy="observe more prompts")
    features = np.stack([judged.cosine, judged.relative], axis=1)
    intercept, cosine, relative = _logistic(features, judged.right.astype(np.float64), ridge).tolist()
    return Detector(intercept, cosine, relative, Detector().stop)


def held_out(judged: Judged, folds: int = 5) -> Values:
    """Return the probability of every concept by a detector that was fitted without the prompts of its fold.

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
        detector = fit_judged(judged.only(fold != index))
        part = judged.only(fold == index)
        found[fold == index] = detector.chance(part.cosine, part.relative)
    return found


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
