"""`best_of`: start several seeds, finish those that promise most."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from semguide.adapters.pipelines.families.registry import spec_of
from semguide.adapters.pipelines.steer import Result, SteeredPipeline
from semguide.errors import InvalidArgument
from semguide.guidance.ranking import places
from semguide.selection.criteria import Criterion, SignalScore
from semguide.selection.partial_run import PartialRun


@dataclass(frozen=True)
class Candidate:
    """What became of a seed.

    Attributes:
        seed: The seed.
        score: Score of its first steps by the criterion.
        evaluations: Denoiser evaluations that it took: of its first steps if it was dropped, else of all.
        kept: Whether it was finished.
    """

    seed: int
    score: float
    evaluations: int
    kept: bool = False


@dataclass(frozen=True, eq=False)
class Selection:
    """The chosen images.

    Attributes:
        results: One result per chosen seed, the highest score first; each is that of the seed alone, to the last bit.
        candidates: All seeds, in the order in which they were given.
    """

    results: list[Result]
    candidates: list[Candidate]

    @property
    def images(self) -> list[Any]:
        """The chosen pictures, the highest score first."""
        return [result.images[0] for result in self.results]

    @property
    def seeds(self) -> list[int]:
        """The chosen seeds, the highest score first."""
        kept = [candidate for candidate in self.candidates if candidate.kept]
        return [candidate.seed for candidate in sorted(kept, key=lambda candidate: -candidate.score)]

    @property
    def evaluations(self) -> int:
        """All denoiser evaluations, those of the dropped seeds included."""
        return sum(candidate.evaluations for candidate in self.candidates)


def best_of(
    steered: SteeredPipeline,
    prompt: str,
    *,
    seeds: Iterable[int],
    keep: int = 1,
    criterion: Criterion | None = None,
    **arguments: Any,
) -> Selection:
    """Make the first steps of several seeds, and the rest of those that promise most.

    A dropped seed costs its first steps only; a kept one what it costs alone, as its first steps are not evaluated
    again. (The text encoder and whatever else a pipeline runs beside its denoiser runs twice.)

    Args:
        steered: A pipeline that `steer` returned.
        prompt: One prompt.
        seeds: Seeds, each of a CPU generator of its own; all different.
        keep: How many to finish, from 1 to the number of seeds.
        criterion: What scores the first steps; None is `SignalScore()`, after 40 % of the steps.
        **arguments: As for `steered`: concepts, steps, size; one image per call.

    Raises:
        InvalidArgument: An argument breaks a rule, or there are no concepts to choose by.
        GuidanceNotApplied: The pipeline does not show the predictions that the criterion needs.
    """
    chosen = checked_seeds(seeds, keep)
    check_arguments(prompt, arguments, spec_of(steered.pipe).per_prompt)
    starts, candidates = start_all(steered, prompt, chosen, keep, criterion or SignalScore(), arguments)
    results = ranked([start.finish() for start in starts])
    finished = {start.seed: start.evaluations for start in starts}
    return Selection(results, [with_finished(candidate, finished) for candidate in candidates])


def ranked(results: Sequence[Result]) -> list[Result]:
    """Return the results of one image each with their places among each other."""
    found = places([result.alignment_score[0] for result in results])
    return [replace(result, alignment_rank=[place]) for result, place in zip(results, found, strict=True)]


def checked_seeds(seeds: Iterable[int], keep: int) -> list[int]:
    """Return the seeds.

    Raises:
        InvalidArgument: There is none, one is there twice, or there are fewer than are to be kept.
    """
    found = list(seeds)
    if not found or len(set(found)) < len(found):
        raise InvalidArgument("seeds", "must be one or more, all different", found, "try range(8)")
    if not 1 <= keep <= len(found):
        raise InvalidArgument("keep", f"must be from 1 to the number of seeds ({len(found)})", keep, "try 1")
    return found


def check_arguments(prompt: Any, arguments: dict[str, Any], per_prompt: str) -> None:
    """Check that a call makes one image, whose seed is chosen here.

    Args:
        prompt: The prompt.
        arguments: Of the pipeline's call.
        per_prompt: The one that is the number of images per prompt.

    Raises:
        InvalidArgument: It does not.
    """
    if not isinstance(prompt, str):
        raise InvalidArgument("prompt", "must be one text", prompt, "choose among the seeds of each prompt apart")
    chosen = {name: arguments.get(name) is not None for name in ("generator", "latents")}
    for name, given in {**chosen, per_prompt: arguments.get(per_prompt) not in (None, 1)}.items():
        if given:
            raise InvalidArgument(name, "must be left out where seeds are chosen: each makes one image")


def start_all(
    steered: SteeredPipeline,
    prompt: str,
    seeds: Iterable[int],
    keep: int,
    criterion: Criterion,
    arguments: dict[str, Any],
    on_start: Callable[[Candidate], None] | None = None,
) -> tuple[list[PartialRun], list[Candidate]]:
    """Make the first steps of all seeds.

    Returns:
        The best starts, highest score first (of equal ones the earlier seed), and all candidates. No more starts than
        are kept are in memory at a time, and one.
    """
    best: list[PartialRun] = []
    candidates: list[Candidate] = []
    for seed in seeds:
        start = PartialRun(steered, prompt, seed, criterion, arguments)
        candidates.append(Candidate(seed, start.score, start.evaluations))
        best = sorted([*best, start], key=lambda found: -found.score)[:keep]
        if on_start is not None:
            on_start(candidates[-1])
    kept = {start.seed for start in best}
    return best, [replace(candidate, kept=candidate.seed in kept) for candidate in candidates]


def with_finished(candidate: Candidate, evaluations: dict[int, int]) -> Candidate:
    """Return the candidate with the evaluations of its finished image, where its seed has one."""
    return replace(candidate, evaluations=evaluations.get(candidate.seed, candidate.evaluations))
