"""One worker thread a device behind a bounded queue of jobs."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from semguide.errors import SemguideError
from semguide.runs.generation import GeneratedImage
from semguide.runs.png import RECORD, TRACE, encode_png
from semguide.runs.records import image_record
from semguide.runs.request import Plan
from semguide.server.batching import ImageTask, choose, generate_images, position
from semguide.server.job_store import JobStore
from semguide.server.jobs import Failure, Job, Status
from semguide.server.metrics import Metrics
from semguide.server.models import ServedModel, Worker
from semguide.server.progress import ProgressWatcher, Stopped
from semguide.server.replies import failure_body, image_report, image_url
from semguide.server.settings import Limits

DRAINING = Failure(503, "shutting_down", "the server is shutting down and takes no new work; ask again later")
_LOG = logging.getLogger(__name__)
FIRST_GUESS = 5.0
"""Seconds an image is taken to need before one has been made."""


class QueueFull(SemguideError):
    """As many jobs wait as may.

    Attributes:
        retry_after: Seconds after which a place should be free.
    """

    def __init__(self, waiting: int, retry_after: int) -> None:
        super().__init__(f"the queue must hold at most {waiting} jobs and does; try again in {retry_after} seconds")
        self.retry_after = retry_after


class ShuttingDown(SemguideError):
    """The server is shutting down."""


class Engine:
    """Makes the images of jobs. Every method may be called from any thread.

    Args:
        models: The models, by public name.
        workers: A device each, with all models on it.
        limits: Of the queue, and of the finished jobs that are kept.
        batch: Images of the same shape in one denoiser call.
        metrics: What is counted.
    """

    def __init__(
        self,
        models: Mapping[str, ServedModel],
        workers: Sequence[Worker],
        limits: Limits,
        batch: int,
        metrics: Metrics,
    ) -> None:
        self.models = models
        self.device = workers[0].device
        self._limits = limits
        self._batch = batch
        self._metrics = metrics
        self._changed = threading.Condition()
        self._active: list[Job] = []
        self._kept = JobStore(limits)
        self._draining = False
        self._seconds = FIRST_GUESS
        self._threads = [
            threading.Thread(target=self._work, args=(worker,), name=f"worker-{worker.device}", daemon=True)
            for worker in workers
        ]
        metrics.look_at(self._count_waiting, self._count_in_flight)

    def start(self) -> None:
        """Start the workers."""
        for thread in self._threads:
            thread.start()

    @property
    def ready(self) -> bool:
        """Whether a new job would be taken, were there room."""
        return not self._draining and all(thread.is_alive() for thread in self._threads)

    def submit(self, plan: Plan, model: str, live: bool) -> Job:
        """Put a run into the queue.

        Raises:
            QueueFull: As many jobs wait as may.
            ShuttingDown: The server is shutting down.
        """
        job = Job(plan, model, live)
        with self._changed:
            if self._draining:
                self._metrics.job_ended("refused")
                raise ShuttingDown(DRAINING.message)
            if self._count_waiting() >= self._limits.queue:
                self._metrics.job_ended("refused")
                raise QueueFull(self._limits.queue, self._retry_after())
            self._active.append(job)
            self._kept.add(job)
            job.feed.publish("queued", {"job": job.id, "position": position(self._active, job)})
            self._changed.notify_all()
        return job

    def find(self, id: str) -> Job | None:
        """Return a job by its id; None if there is none, or it has been forgotten."""
        return self._kept.find(id)

    def position(self, job: Job) -> int:
        """Return how many jobs wait before one."""
        with self._changed:
            return position(self._active, job)

    def cancel(self, job: Job) -> None:
        """Stop a job: at once if it waits, at its next step if it runs; a finished one stays as it is."""
        with self._changed:
            if not job.status.final:
                job.cancelled = True
                self._settle(job)

    def drain(self, grace: float) -> None:
        """Refuse new jobs and waiting ones, and wait for the running ones; after `grace` seconds stop those too."""
        end = time.monotonic() + grace
        with self._changed:
            self._draining = True
            for job in list(self._active):
                if job.status is Status.queued:
                    self._fail(job, DRAINING)
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._active, grace)
            for job in list(self._active):
                self._fail(job, DRAINING)
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(1.0, end - time.monotonic()))

    def _work(self, worker: Worker) -> None:
        while shots := self._next(worker):
            self._make(worker, shots)

    def _next(self, worker: Worker) -> list[ImageTask]:
        """Wait for images to make, and begin them; none when the server has drained."""
        with self._changed:
            while True:
                shots = choose([job for job in self._active if job.device in (None, worker.device)], self._batch)
                for shot in shots:
                    self._begin(shot, worker)
                if shots or (self._draining and not self._active):
                    return shots
                self._changed.wait()

    def _begin(self, shot: ImageTask, worker: Worker) -> None:
        job = shot.job
        shot.picture.status = Status.running
        if job.status is Status.queued:
            job.move(Status.running)
            job.assign(worker.device)
            job.feed.publish("started", {"device": worker.device})
            self._announce_positions()

    def _announce_positions(self) -> None:
        for job in self._active:
            if job.status is Status.queued:
                job.feed.publish("queued", {"job": job.id, "position": position(self._active, job)}, {})

    def _make(self, worker: Worker, shots: list[ImageTask]) -> None:
        pipe = worker.pipelines[shots[0].job.model]
        try:
            for job in {id(shot.job): shot.job for shot in shots if shot.picture.index == 0}.values():
                self._warn_of_truncation(job, pipe)
            made = generate_images(shots, pipe, ProgressWatcher(shots, self._stepped).hooks)
            files = [self._record(shot, image) for shot, image in zip(shots, made, strict=True)]
        except Stopped:
            files = []
        except Exception as error:  # noqa: BLE001 - a worker outlives whatever goes wrong with an image
            files = []
            self._fail_all(shots, error)
        with self._changed:
            for shot, (record, png, image) in zip(shots, files, strict=False):
                self._finish(shot, record, png, image)
            for shot in shots:
                if shot.picture.status is Status.running:
                    shot.picture.status = Status.queued
            for job in {id(shot.job): shot.job for shot in shots}.values():
                self._settle(job)

    def _record(self, shot: ImageTask, made: GeneratedImage) -> tuple[dict[str, Any], bytes, GeneratedImage]:
        record = image_record(shot.job.run, self.models[shot.job.model].environment, made)
        return record, encode_png(made.image, {RECORD: record, TRACE: made.trace}), made

    def _finish(self, shot: ImageTask, record: dict[str, Any], png: bytes, made: GeneratedImage) -> None:
        picture, job = shot.picture, shot.job
        picture.record, picture.png, picture.trace, picture.status = record, png, made.trace, Status.done
        self._seconds = 0.8 * self._seconds + 0.2 * made.seconds
        self._metrics.image_made(made.method.name, made.seconds, made.evaluations)
        report = image_report(picture)
        if report is not None:
            job.feed.publish("image", {"url": image_url(job, picture), **report.model_dump()})

    def _stepped(self, shot: ImageTask, step: int) -> None:
        shot.picture.step = step

    def _warn_of_truncation(self, job: Job, pipe: Any) -> None:
        from semguide.adapters.inputs import truncations
        from semguide.adapters.pipelines.families.registry import spec_of
        from semguide.adapters.pipelines.text_encoding import readers_of

        readers = readers_of(pipe, spec_of(pipe).text, {})
        for found in truncations(readers, [job.run.prompt], [job.run.concepts]):
            job.warn(str(found.warning))

    def _fail_all(self, shots: list[ImageTask], error: Exception) -> None:
        _LOG.error("images could not be made", exc_info=error)
        ours = isinstance(error, SemguideError)
        sentence = str(error) if ours else f"{type(error).__name__} while making the images; the server's log says more"
        with self._changed:
            for shot in shots:
                self._fail(shot.job, Failure(500, "generation_failed", sentence))

    def _fail(self, job: Job, failure: Failure) -> None:
        job.failure, job.cancelled = failure, True
        self._settle(job)

    def _settle(self, job: Job) -> None:
        """End a job if it is to end and none of its images is being made."""
        if job.status.final or any(picture.status is Status.running for picture in job.pictures):
            return
        if job.failure is not None:
            self._end(job, Status.failed, {"error": failure_body(job.failure).model_dump()})
        elif job.cancelled:
            self._end(job, Status.cancelled, {})
        elif job.finished:
            self._end(job, Status.done, {"images": len(job.pictures), "seconds": round(time.time() - job.created, 3)})

    def _end(self, job: Job, status: Status, data: dict[str, Any]) -> None:
        waited = job.status is Status.queued
        job.move(status)
        self._active.remove(job)
        self._metrics.job_ended(status.value)
        self._kept.forget()
        job.feed.publish(status.value, data)
        if waited:
            self._announce_positions()
        self._changed.notify_all()

    def _retry_after(self) -> int:
        waiting = sum(len(job.waiting) for job in self._active)
        return min(600, max(1, math.ceil(self._seconds * waiting / len(self._threads))))

    def _count_waiting(self) -> int:
        return sum(job.status is Status.queued for job in self._active)

    def _count_in_flight(self) -> int:
        return sum(picture.status is Status.running for job in list(self._active) for picture in job.pictures)
