"""What is to be made next: jobs in the order they came, image by image, and images of the same shape together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from semguide.interfaces.serving.jobs import Job, Picture, Status


@dataclass(frozen=True)
class Shot:
    """One image that a worker makes."""

    job: Job
    picture: Picture


def choose(jobs: list[Job], most: int) -> list[Shot]:
    """Return the next image of the first job that has one, and up to `most` images that can be made with it.

    Args:
        jobs: Unfinished jobs, in the order they came.
        most: Images to return at most, >= 1.
    """
    chosen: list[Shot] = []
    for shot in _waiting(jobs):
        if not chosen or shape(shot) == shape(chosen[0]):
            chosen.append(shot)
        if len(chosen) == most:
            break
    return chosen


def shape(shot: Shot) -> tuple[Any, ...]:
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


def _waiting(jobs: list[Job]) -> Iterator[Shot]:
    for job in jobs:
        if not job.cancelled:
            for picture in job.waiting:
                yield Shot(job, picture)
