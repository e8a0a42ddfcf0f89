"""Making the images of some shots: one as the command line makes it, or several of the same shape in one call."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from semguide.runs.generation import GeneratedImage, generator_of, made_image, make_with, sampling_arguments
from semguide.server.jobs import Job, Picture, Status


def generate_images(shots: Sequence[ImageTask], pipe: Any, hooks: dict[str, Any]) -> list[GeneratedImage]:
    """Make images.

    Args:
        shots: Images of the same shape, at least one. A single one equals the command line's to the bit; several
            share their denoiser calls and equal it to rounding.
        pipe: The pipeline of their model.
        hooks: Arguments of the pipeline call that look on.
    """
    from semguide.adapters import steer

    first = shots[0]
    rule = first.job.plan.rules[first.picture.method.name]
    if len(shots) == 1:
        return [make_with(first.job.run, first.picture.method, first.picture.seed, steer(pipe, rule), **hooks)]
    return _paint_together(shots, steer(pipe, rule, batch_invariant=False), hooks)


def _paint_together(shots: Sequence[ImageTask], steered: Any, hooks: dict[str, Any]) -> list[GeneratedImage]:
    start = time.perf_counter()
    runs = [shot.job.run for shot in shots]
    negatives = [run.negative_prompt for run in runs]
    result = steered(
        [run.prompt for run in runs],
        concepts=[list(run.concepts) for run in runs],
        negative_prompt=negatives if all(negatives) else None,
        generator=[generator_of(shot.picture.seed) for shot in shots],
        **sampling_arguments(runs[0]),
        **hooks,
    )
    seconds = (time.perf_counter() - start) / len(shots)
    pictures = [shot.picture for shot in shots]
    return [made_image(result, i, p.method, p.seed, seconds) for i, p in enumerate(pictures)]


@dataclass(frozen=True)
class ImageTask:
    """One image that a worker makes."""

    job: Job
    picture: Picture


def choose(jobs: list[Job], most: int) -> list[ImageTask]:
    """Return the next image of the first job that has one, and up to `most` images that can be made with it.

    Args:
        jobs: Unfinished jobs, in the order they came.
        most: Images to return at most, >= 1.
    """
    chosen: list[ImageTask] = []
    for shot in _waiting(jobs):
        if not chosen or shape(shot) == shape(chosen[0]):
            chosen.append(shot)
        if len(chosen) == most:
            break
    return chosen


def shape(shot: ImageTask) -> tuple[Any, ...]:
    """Return what images must share to be made in one pipeline call: all but prompts, concepts and seeds."""
    run = shot.job.run
    method = shot.picture.method
    parameters = tuple(sorted(method.parameters.items(), key=lambda item: item[0]))
    return run.model, run.sampling, run.full_trace, bool(run.negative_prompt), method.name, parameters


def position(jobs: list[Job], job: Job) -> int:
    """Return how many jobs wait before one; 0 where it does not wait."""
    if job.status is not Status.queued:
        return 0
    queued = [other.id for other in jobs if other.status is Status.queued]
    return queued.index(job.id) if job.id in queued else 0


def _waiting(jobs: list[Job]) -> Iterator[ImageTask]:
    for job in jobs:
        if not job.cancelled:
            for picture in job.waiting:
                yield ImageTask(job, picture)
