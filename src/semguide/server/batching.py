"""Batches of images that share a pipeline call: which go together, and their generation."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from semguide.models.loaded import switch_scheduler
from semguide.runs.generation import (
    GeneratedImage,
    accepted_hooks,
    generate_image,
    make_generator,
    negative_arguments,
    sampling_arguments,
)
from semguide.server.jobs import ImageTask, Job, Status


def next_batch(jobs: list[Job], batch_size: int) -> list[ImageTask]:
    """Return the next image of the first job that has one, and further images that can share its pipeline call.

    An image that may be tried again has a call of its own, as its steps depend on it, and so has a video, of which
    one is as large as many images.

    Args:
        jobs: Unfinished jobs, in the order they were submitted.
        batch_size: Most images to return, >= 1.
    """
    batch: list[ImageTask] = []
    for task in _queued(jobs):
        if not batch or batch_key(task) == batch_key(batch[0]):
            batch.append(task)
        if len(batch) == batch_size or _alone(batch[0].job):
            break
    return batch


def _alone(job: Job) -> bool:
    return job.run.retries > 0 or job.plan.model.video is not None


def batch_key(task: ImageTask) -> tuple[Any, ...]:
    """Return what the images of a batch have in common: everything but prompts, concepts and seeds."""
    run, method = task.job.run, task.method
    parameters = tuple(sorted(method.parameters.items(), key=lambda item: item[0]))
    return (
        run.model,
        run.alone(method).sampling,
        run.loading.scheduler,
        run.full_trace,
        run.retries,
        bool(run.negative_prompt),
        run.edits,
        method.name,
        parameters,
    )


def queue_position(jobs: list[Job], job: Job) -> int:
    """Return how many queued jobs come before a job; 0 if it is not queued."""
    if job.status is not Status.queued:
        return 0
    queued = [other.id for other in jobs if other.status is Status.queued]
    return queued.index(job.id) if job.id in queued else 0


def _queued(jobs: list[Job]) -> Iterator[ImageTask]:
    for job in jobs:
        if not job.stop_requested:
            yield from job.queued_images


def generate_batch(tasks: Sequence[ImageTask], pipe: Any, call_hooks: dict[str, Any]) -> list[GeneratedImage]:
    """Generate the images of a batch.

    Args:
        tasks: Images with the same `batch_key`, at least one. A single one equals the command line's bit for bit;
            several share their denoiser calls and equal it up to rounding.
        pipe: The pipeline of their model.
        call_hooks: Arguments of the pipeline call that observe it: `callback_on_step_end`, `observer`.
    """
    from semguide.adapters import steer

    first = tasks[0]
    rule = first.job.plan.rules[first.method.name]
    with _scheduler_of(first.job, pipe):
        if len(tasks) == 1:
            return [generate_image(first.job.run, first.method, first.seed, steer(pipe, rule), **call_hooks)]
        return _generate_together(tasks, steer(pipe, rule, batch_invariant=False), call_hooks)


@contextmanager
def _scheduler_of(job: Job, pipe: Any) -> Generator[None, None, None]:
    """Give a pipeline the scheduler that a job names, while the context lasts."""
    own, name = pipe.scheduler, job.run.loading.scheduler
    try:
        if name is not None and name != type(own).__name__:
            switch_scheduler(pipe, name)
        yield
    finally:
        pipe.scheduler = own


def _generate_together(tasks: Sequence[ImageTask], steered: Any, call_hooks: dict[str, Any]) -> list[GeneratedImage]:
    start = time.perf_counter()
    runs = [task.job.run for task in tasks]
    output = steered(
        [run.prompt for run in runs],
        concepts=[list(run.concepts) for run in runs],
        **negative_arguments(runs[0], steered.pipe, [run.negative_prompt for run in runs]),
        generator=[make_generator(task.seed) for task in tasks],
        **sampling_arguments(runs[0].alone(tasks[0].method), steered.pipe),
        **accepted_hooks(steered.pipe, call_hooks),
    )
    seconds = (time.perf_counter() - start) / len(tasks)
    return [
        GeneratedImage.from_output(output, index, task.method, task.seed, seconds, steered.pipe)
        for index, task in enumerate(tasks)
    ]
