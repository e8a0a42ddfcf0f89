"""What the early steps say of the images of a call: probabilities where they are fitted for the model, and an order."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from semguide.guidance import Trace
from semguide.guidance.detector import Detector, places, score
from semguide.models.calibrations import any_calibration, find_calibration
from semguide.models.weights import weights_fingerprint

Alignment = list[list[float] | None]
"""Per image the probability of each concept; None where there is nothing to say."""


@dataclass(frozen=True)
class Scored:
    """Of each image of a call.

    Attributes:
        alignment: Probabilities, None where they are not fitted for the model or nothing was looked at.
        rank: Place among the images of the same prompt, 1 for the most likely right; None where nothing was looked at.
        raw: The score by which images are ordered on a model without a fit, in [0, 1] and no probability.
    """

    alignment: Alignment | None
    rank: list[int | None]
    raw: list[float | None]


def fitted_detector(pipe: Any) -> Detector | None:
    """Return the detector that was fitted for the model of a pipeline; None where none was."""
    fingerprint = weights_fingerprint(pipe) if any_calibration() else None
    calibration = None if fingerprint is None else find_calibration(fingerprint)
    return None if calibration is None else calibration.detector()


def scored(pipe: Any, trace: Trace, signed: bool, prompts: Sequence[Hashable]) -> Scored:
    """Score the images of a call.

    Args:
        pipe: The pipeline.
        trace: Of the call.
        signed: Whether its similarity is the signed cosine.
        prompts: Of each image its prompt: those of one prompt are ordered among each other.
    """
    nothing: list[float | None] = [None] * len(trace.similarity)
    raw = [score(found) for found in Detector().alignment(trace.similarity)] if signed else nothing
    if raw == nothing:
        return Scored(None, ranked(nothing, prompts), nothing)
    detector = fitted_detector(pipe)
    alignment = None if detector is None else detector.alignment(trace.similarity)
    return Scored(alignment, ranked(raw if alignment is None else [score(a) for a in alignment], prompts), raw)


def ranked(scores: Sequence[float | None], groups: Sequence[Hashable]) -> list[int | None]:
    """Return the place of each score among those of its group."""
    found: list[int | None] = [None] * len(scores)
    for group in dict.fromkeys(groups):
        members = [index for index, other in enumerate(groups) if other == group]
        for index, place in zip(members, places([scores[index] for index in members]), strict=True):
            found[index] = place
    return found
