"""The detector: how likely a concept is to be right in the image, told from the first third of the steps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semguide.guidance.checks import check_number

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Detector:
    """A logistic model of two numbers per concept: its mean early cosine, and its lead over the other concepts'.

        c_k = mean over the early steps of cos(p, s_k),   r_k = c_k - mean_{j != k} c_j   (K = 1: 0)
        P(concept k is right) = 1 / (1 + exp(-(intercept + cosine c_k + relative r_k)))

    The defaults are fitted on validation prompts of emoji-unet (docs/results.md says how well they hold). On another
    model they give an order and no probabilities; `semguide calibrate` fits those.

    Attributes:
        intercept: Log-odds at c = r = 0.
        cosine: Weight of the mean cosine.
        relative: Weight of the lead over the other concepts.
        stop: End of the early steps, excluded, as a fraction of all steps, in (0, 1].
    """

    intercept: float = 3.11
    cosine: float = -1.55
    relative: float = 3.89
    stop: float = 1 / 3

    def __post_init__(self) -> None:
        for name in ("intercept", "cosine", "relative"):
            check_number(name, getattr(self, name), -float("inf"))
        check_number("stop", self.stop, 1e-6, 1.0, note="a fraction of the steps")

    def features(self, similarity: Values) -> tuple[Values, Values]:
        """Return c and r of the concepts of an image.

        Args:
            similarity: Signed cosines (step, concept) of all steps, NaN where they were not evaluated.

        Returns:
            Two arrays (concept,), NaN where no early step was evaluated, or a cosine of one is no number.
        """
        early = similarity[: max(1, round(self.stop * len(similarity)))]
        count = early.shape[1]
        looked = early[~np.isnan(early).all(axis=1)]
        mean = looked.mean(axis=0) if len(looked) else np.full(count, np.nan)
        cosine: Values = np.asarray(mean, dtype=np.float64)
        relative = cosine - (cosine.sum() - cosine) / (count - 1) if count > 1 else np.zeros_like(cosine)
        return cosine, relative

    def probability(self, similarity: Values) -> Values | None:
        """Return the probability that each concept is right.

        Args:
            similarity: Signed cosines (step, concept), NaN where they were not evaluated.

        Returns:
            (concept,) in [0, 1]; None where no early step was evaluated.
        """
        cosine, relative = self.features(similarity)
        if not len(cosine) or np.isnan(cosine).any():
            return None
        return self.chance(cosine, relative)

    def chance(self, cosine: Values, relative: Values) -> Values:
        """Return the probabilities for mean cosines and leads, any shape, in [0, 1]."""
        return 1 / (1 + np.exp(-(self.intercept + self.cosine * cosine + self.relative * relative)))

    def alignment(self, similarity: Sequence[Values]) -> list[list[float] | None]:
        """Return the probabilities of the concepts of several images.

        Args:
            similarity: Per image signed cosines (step, concept), as in `Trace.similarity`.

        Returns:
            Per image a probability per concept; None where it has no concept, or its early steps were not evaluated.
        """
        found = [self.probability(values) for values in similarity]
        return [None if values is None else values.tolist() for values in found]


def score(probabilities: Sequence[float] | None) -> float | None:
    """Return the probability that all concepts are right, taken as independent; None where there is nothing to say."""
    value = math.prod(probabilities) if probabilities else math.nan
    return None if math.isnan(value) else value


def order(alignments: Sequence[Sequence[float] | None], raw: Sequence[float | None]) -> list[int | None]:
    """Return the place of each image among those of a prompt: by probabilities where all have them, else by scores.

    Args:
        alignments: Of each image the probabilities of its concepts, None where there are none.
        raw: Of each image the score that orders images without a fit.
    """
    fitted = all(alignment is not None for alignment in alignments)
    return places([score(alignment) for alignment in alignments] if fitted else raw)


def places(scores: Sequence[float | None]) -> list[int | None]:
    """Return the place of each image among those of a prompt, 1 for the highest score, equal ones in their order.

    Args:
        scores: One an image; None ranks last.

    Returns:
        A place for each; None for all where none has a score.
    """
    if all(value is None for value in scores):
        return [None] * len(scores)
    order = sorted(range(len(scores)), key=lambda index: -math.inf if (v := scores[index]) is None else v, reverse=True)
    found: list[int | None] = [None] * len(scores)
    for place, index in enumerate(order, 1):
        found[index] = place
    return found
