"""The detector: how likely a concept is right under plain guidance, by its lag in the first third of the steps."""

from __future__ import annotations

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

    The defaults are fitted on validation prompts of emoji-unet under plain guidance (docs/results.md says how well they
    hold). On another model they give an order and no probabilities.

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
