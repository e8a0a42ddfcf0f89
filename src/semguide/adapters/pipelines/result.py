"""What a steered pipeline returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from semguide.adapters.pipelines.alignment import PerConcept
from semguide.errors import RuleNeverActed
from semguide.guidance import Trace


@dataclass(frozen=True, eq=False)
class Result:
    """What a steered pipeline made.

    Attributes:
        images: What the pipeline returns as images, in its own type.
        trace: Similarity, gate and weight per image, step and concept.
        alignment: Per image and concept the probability that it is right, by `semguide.guidance.signal_score`; None
            where it was not fitted for this model (`semguide calibrate` does that), and where the concepts were not
            evaluated in the first 40 % of the steps (plain guidance does so with `full_trace` only). It is fitted under
            guidance, and None without.
        alignment_rank: Per image its place among those of the same prompt, 1 for the most likely right; on every model,
            None only where the concepts were not evaluated.
        alignment_score: What orders the images, on every model: the probability of all concepts before that fit.
        log_odds: Per image and concept what both come of; None where the concepts were not evaluated.
        evaluations: Denoiser evaluations per image; plain guidance takes 2 a step, none 1.
        output: What the pipeline returned, whole.
        idle: Per image why the rule did not correct it, None where it did or was not to; of which the first is also
            warned of.
    """

    images: Any
    trace: Trace
    alignment: PerConcept | None
    alignment_rank: list[int | None]
    alignment_score: list[float | None]
    log_odds: PerConcept
    evaluations: list[int]
    output: Any
    idle: Sequence[RuleNeverActed | None] = ()
