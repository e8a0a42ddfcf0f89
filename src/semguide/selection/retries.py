"""`retry`: start one seed after another until one promises enough, and finish the best of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from semguide.adapters.pipelines.families.registry import spec_of
from semguide.adapters.pipelines.steer import SteeredPipeline
from semguide.guidance.attempts import THRESHOLD
from semguide.guidance.checks import check_number
from semguide.selection.best_of import Candidate, Selection, check_arguments, checked_seeds, with_finished
from semguide.selection.criteria import Criterion, SignalScore
from semguide.selection.partial_run import PartialRun


def retry(
    steered: SteeredPipeline,
    prompt: str,
    *,
    seeds: Iterable[int],
    threshold: float = THRESHOLD,
    criterion: Criterion | None = None,
    **arguments: Any,
) -> Selection:
    """Start seeds one after another until one's first steps reach a score, and finish it.

    If none reaches it, the best of them is finished. A dropped seed costs its first steps only, and a seed after the
    one that is finished is never started, so most pictures cost what they cost alone.

    Args:
        steered: A pipeline that `steer` returned.
        prompt: One prompt.
        seeds: The seeds to try, in their order, each of a CPU generator of its own; all different.
        threshold: Score from which a seed is finished; 0 to 1 for the default criterion.
        criterion: What scores the first steps; None is `SignalScore()`.
        **arguments: As for `steered`: concepts, steps, size; one image per call.

    Returns:
        One result, which is that of its seed alone, to the last bit, and the seeds that were started.

    Raises:
        InvalidArgument: An argument breaks a rule, or there are no concepts to choose by.
        GuidanceNotApplied: The pipeline does not show the predictions that the criterion needs.
        NotFinite: A score is no number.
    """
    chosen = checked_seeds(seeds, 1)
    check_number("threshold", threshold, -float("inf"))
    check_arguments(prompt, arguments, spec_of(steered.pipe).per_prompt)
    best, candidates = start_until(steered, prompt, chosen, threshold, criterion or SignalScore(), arguments)
    result = best.finish()
    return Selection([result], [with_finished(found, {best.seed: best.evaluations}) for found in candidates])


def start_until(
    steered: SteeredPipeline,
    prompt: str,
    seeds: Iterable[int],
    threshold: float,
    criterion: Criterion,
    arguments: dict[str, Any],
) -> tuple[PartialRun, list[Candidate]]:
    """Make the first steps of one seed after another, until one's score reaches the threshold.

    Returns:
        The best start, and all that were made; no more than two are in memory at a time.
    """
    best: PartialRun | None = None
    candidates: list[Candidate] = []
    for seed in seeds:
        start = PartialRun(steered, prompt, seed, criterion, arguments)
        candidates.append(Candidate(seed, start.score, start.evaluations))
        best = start if best is None or start.score > best.score else best
        if best.score >= threshold:
            break
    assert best is not None  # there is a seed
    return best, [replace(candidate, kept=candidate.seed == best.seed) for candidate in candidates]
