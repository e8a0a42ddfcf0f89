"""What the first steps say of the images of a call: probabilities where they are fitted for the model, and an order."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from semguide.guidance.ranking import places_in_groups
from semguide.guidance.signal_score import score_of
from semguide.models.calibrations import Calibration, any_calibration, find_calibration
from semguide.models.weights import weights_fingerprint

PerConcept = list[list[float] | None]
"""Per image a number for each concept; None where there is nothing to say."""


@dataclass(frozen=True)
class Scored:
    """Of each image of a call.

    Attributes:
        log_odds: That each concept is right, before a fit for the model; None where nothing was looked at.
        alignment: Probabilities, None where they are not fitted for the model or nothing was looked at.
        rank: Place among the images of the same prompt, 1 for the highest score; None where nothing was looked at.
        score: The score by which images are ordered, in [0, 1]; without a fit for the model no probability.
    """

    log_odds: PerConcept
    alignment: PerConcept | None
    rank: list[int | None]
    score: list[float | None]


def fitted_calibration(pipe: Any) -> Calibration | None:
    """Return what was fitted for the model of a pipeline; None where nothing was."""
    fingerprint = weights_fingerprint(pipe) if any_calibration() else None
    return None if fingerprint is None else find_calibration(fingerprint)


def scored(calibration: Calibration | None, log_odds: PerConcept, prompts: Sequence[Hashable]) -> Scored:
    """Score the images of a call.

    Args:
        calibration: From `fitted_calibration`.
        log_odds: Of each image, from `RuleSession.log_odds`.
        prompts: Of each image its prompt: those of one prompt are ordered among each other.
    """
    scores = [score_of(odds) for odds in log_odds]
    alignment = None
    if calibration is not None and scores.count(None) < len(scores):
        alignment = [None if odds is None else calibration.probabilities(odds) for odds in log_odds]
    return Scored(log_odds, alignment, places_in_groups(scores, prompts), scores)


def prompt_of_each(prompts: Sequence[str | None], concepts: Sequence[tuple[str, ...]]) -> list[Hashable]:
    """Return of each image what it shares with those of its prompt; prompts that are embeddings are different ones."""
    per_prompt = len(concepts) // len(prompts)
    return [(prompts[i // per_prompt] or i // per_prompt, texts) for i, texts in enumerate(concepts)]
