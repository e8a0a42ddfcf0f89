"""The engine: a bounded queue of jobs and one worker thread per device that generates their images."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from semguide.errors import SemguideError
from semguide.runs.generation import GeneratedImage, frames_warning
from semguide.runs.png import RECORD, TRACE, encode_png
from semguide.runs.records import image_record
from semguide.runs.request import Plan
from semguide.server.batching import generate_batch, next_batch, queue_position
from semguide.server.jobs import Event, Failure, ImageTask, Job, JobStore, Status
from semguide.server.progress import Cancelled, ProgressReporter
from semguide.server.prometheus import Metrics
from semguide.server.replies import failure_body, image_report, image_url, job_ranks
from semguide.server.served_models import ServedModel, Worker
from semguide.server.settings import Limits
from semguide.server.wording import sentence_of

SHUTTING_DOWN = Failure(503, "shutting_down", "the server is shutting down and takes no new jobs; try again later")
_LOG = logging.getLogger(__name__)
INITIAL_SECONDS_PER_IMAGE = 5.0
"""Estimate of the seconds per image before the first image is done."""
ONE_BY_ONE = " together; they are made one by one"
RETRY_SECONDS = 5
"""Seconds after which one who may not follow may ask again."""
SMOOTHING = 0.8
"""Weight of the earlier estimate in the running mean of seconds per image, in [0, 1)."""


class QueueFull(SemguideError):
    """The queue is full.

    Attributes:
        retry_after: Seconds after which to try again, 1 to 600.
    """

    def __init__(self, jobs: int, retry_after: int) -> None:
        super().__init__(f"queue full ({jobs} jobs); try again in {retry_after} seconds")
        self.retry_after = retry_after


class TooManyFollowers(SemguideError):
    """No more clients may wait for or follow jobs."""


class ShuttingDown(SemguideError):
    """The server is shutting down."""


class Engine:
    """Generates the images of jobs. Every method may be called from any thread.

    Args:
        models: The models, by public name.
        workers: One per device, each with all models loaded.
        limits: Limits of the queue and of the finished jobs that are kept.
        batch_size: Most images in one pipeline call, >= 1.
        metrics: Counters to update.
    """

    def __init__(
        self,
        models: Mapping[str, ServedModel],
        workers: Sequence[Worker],
        limits: Limits,
        batch_size: int,
        metrics: Metrics,
    ) -> None:
        self.models = models
        self.device = workers[0].device
        self._limits = limits
        self._batch_size = batch_size
        self._metrics = metrics
        self._changed = threading.Condition()
        self._active: list[Job] = []
        self._store = JobStore(limits)
        self._draining = False
        self._seconds_per_image = INITIAL_SECONDS_PER_IMAGE
        self._threads = [
            threading.Thread(target=self._work, args=(worker,), name=f"worker-{worker.device}", daemon=True)
            for worker in workers
        ]
        metrics.set_gauges(self._count_queued_jobs, self._count_running_images)

    def start(self) -> None:
        """Start the worker threads."""
        for thread in self._threads:
            thread.start()

    @property
    def ready(self) -> bool:
        """Whether new jobs are accepted: the workers are alive and the server is not shutting down."""
        return not self._draining and all(thread.is_alive() for thread in self._threads)

    def submit(self, plan: Plan, model: str, live: bool) -> Job:
        """Put a run into the queue.

        Args:
            plan: The run.
            model: Public name of its model.
            live: Whether step events are published.

        Raises:
            QueueFull: The queue is full.
            ShuttingDown: The server is shutting down.
        """
        job = Job(plan, model, live)
        with self._changed:
            if self._draining:
                self._metrics.count_job("refused")
                raise ShuttingDown(SHUTTING_DOWN.message)
            if self._count_queued_jobs() >= self._limits.queue:
                self._metrics.count_job("refused")
                raise QueueFull(self._limits.queue, self._retry_after())
            self._active.append(job)
            self._store.add(job)
            job.events.publish("queued", {"job": job.id, "position": queue_position(self._active, job)})
            self._changed.notify_all()
        return job

    def find(self, id: str) -> Job | None:
        """Return a job by its id; None if it is unknown or expired."""
        return self._store.find(id)

    def check_followers(self) -> None:
        """Check that one more client may wait for or follow a job.

        Raises:
            TooManyFollowers: It may not.
        """
        most = self._limits.followers
        if self._store.count_followers() >= most:
            rule = f"{most} clients wait for jobs or follow them, and no more may"
            raise TooManyFollowers(f"{rule}; try again in {RETRY_SECONDS} seconds")

    async def follow(self, job: Job, last: int = 0, *, previews: bool = False) -> AsyncIterator[Event | None]:
        """Count one more follower of a job, and return its events after an id; None stands for silence.

        Raises:
            TooManyFollowers: No more may follow.
        """
        self.check_followers()
        events = job.events.follow(last, previews=previews)
        await anext(events)  # which is there at once, so that no other is counted in between
        return events

    def queue_position(self, job: Job) -> int:
        """Return how many queued jobs come before a job; 0 if it is not queued."""
        with self._changed:
            return queue_position(self._active, job)

    def cancel(self, job: Job) -> None:
        """Cancel a job: at once if it is queued; if it runs, at the next step that no other job's image shares."""
        with self._changed:
            if not job.status.final:
                job.stop_requested = True
                self._end_if_idle(job)

    def drain(self, grace: float) -> None:
        """Refuse new and queued jobs and wait for the running ones.

        Args:
            grace: Seconds after which the running jobs are stopped too, >= 0.
        """
        end = time.monotonic() + grace
        with self._changed:
            self._draining = True
            for job in list(self._active):
                if job.status is Status.queued:
                    self._fail(job, SHUTTING_DOWN)
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._active, grace)
            for job in list(self._active):
                self._fail(job, SHUTTING_DOWN)
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(1.0, end - time.monotonic()))

    def _work(self, worker: Worker) -> None:
        while tasks := self._take_batch(worker):
            self._generate(worker, tasks)

    def _take_batch(self, worker: Worker) -> list[ImageTask]:
        """Wait for a batch and start it; an empty one tells the worker to end."""
        with self._changed:
            while True:
                jobs = [job for job in self._active if job.device in (None, worker.device)]
                tasks = next_batch(jobs, self._batch_size)
                for task in tasks:
                    self._start_task(task, worker)
                if tasks or (self._draining and not self._active):
                    return tasks
                self._changed.wait()

    def _start_task(self, task: ImageTask, worker: Worker) -> None:
        job = task.job
        task.status = Status.running
        if job.status is Status.queued:
            job.set_status(Status.running)
            job.assign(worker.device)
            job.events.publish("started", {"device": worker.device})
            self._publish_positions()

    def _publish_positions(self) -> None:
        for job in self._active:
            if job.status is Status.queued:
                position = queue_position(self._active, job)
                job.events.publish("queued", {"job": job.id, "position": position}, replaces={})

    def _generate(self, worker: Worker, tasks: list[ImageTask]) -> None:
        """Generate a batch; where that fails, each image alone, so that only the job fails whose image it is."""
        pipe, again = worker.pipelines[tasks[0].job.model], False
        files: list[tuple[dict[str, Any], bytes, GeneratedImage]] = []
        try:
            for task in tasks:
                if task.index == 0:
                    self._warn_of_truncation(task.job, pipe)
            images = generate_batch(tasks, pipe, ProgressReporter(tasks, self._on_step).call_hooks)
            files = [self._encode(task, image) for task, image in zip(tasks, images, strict=True)]
        except Cancelled:
            pass
        except Exception as error:  # noqa: BLE001 - a worker outlives whatever goes wrong with an image
            again = len(tasks) > 1
            _LOG.error("%d images could not be generated%s", len(tasks), ONE_BY_ONE if again else "", exc_info=error)
            if not again:
                self._fail_task(tasks[0], error)
        for task in tasks if again else ():  # after the error, which holds the tensors of the batch
            self._generate(worker, [task])
        if not again:
            self._end_tasks(tasks, files)

    def _end_tasks(self, tasks: list[ImageTask], files: list[tuple[dict[str, Any], bytes, GeneratedImage]]) -> None:
        with self._changed:
            for task, (record, png, image) in zip(tasks, files, strict=False):
                self._finish_task(task, record, png, image)
            for task in tasks:
                if task.status is Status.running:
                    task.status = Status.queued
            for job in {id(task.job): task.job for task in tasks}.values():
                self._end_if_idle(job)

    def _encode(self, task: ImageTask, image: GeneratedImage) -> tuple[dict[str, Any], bytes, GeneratedImage]:
        record = image_record(task.job.run, self.models[task.job.model].environment, image)
        return record, encode_png(image.image, {RECORD: record, TRACE: image.trace}), image

    def _finish_task(self, task: ImageTask, record: dict[str, Any], png: bytes, image: GeneratedImage) -> None:
        task.record, task.png, task.trace, task.status = record, png, image.trace, Status.done
        self._seconds_per_image = SMOOTHING * self._seconds_per_image + (1 - SMOOTHING) * image.seconds
        self._metrics.count_image(image.method.name, image.seconds, image.evaluations)
        for warning in (image.warning, frames_warning(task.job.run.sampling.num_frames, len(image.frames))):
            if warning is not None:
                task.job.warn(sentence_of(warning))
        report = image_report(task)
        if report is not None:
            task.job.events.publish("image", {"url": image_url(task), **report.model_dump()})

    def _on_step(self, task: ImageTask, step: int) -> None:
        task.step = step

    def _warn_of_truncation(self, job: Job, pipe: Any) -> None:
        from semguide.adapters.inputs import truncations
        from semguide.adapters.pipelines.families.registry import spec_of
        from semguide.adapters.pipelines.text_encoding import readers_of

        readers = readers_of(pipe, spec_of(pipe).text, {})
        for found in truncations(readers, [job.run.prompt], [job.run.concepts]):
            job.warn(str(found.warning))

    def _fail_task(self, task: ImageTask, error: Exception) -> None:
        ours = isinstance(error, SemguideError)
        sentence = (
            sentence_of(error)
            if ours
            else f"{type(error).__name__} while making the images; the server's log says more"
        )
        with self._changed:
            self._fail(task.job, Failure(500, "generation_failed", sentence))

    def _fail(self, job: Job, failure: Failure) -> None:
        job.failure, job.stop_requested = failure, True
        self._end_if_idle(job)

    def _end_if_idle(self, job: Job) -> None:
        """End a job that has failed, is cancelled or is finished, unless one of its images is running."""
        if job.status.final or any(image.status is Status.running for image in job.images):
            return
        if job.failure is not None:
            self._end(job, Status.failed, {"error": failure_body(job.failure).model_dump()})
        elif job.stop_requested:
            self._end(job, Status.cancelled, {})
        elif job.finished:
            seconds, ranks = round(time.time() - job.created, 3), [rank for _, rank in sorted(job_ranks(job).items())]
            self._end(job, Status.done, {"images": len(job.images), "seconds": seconds, "alignment_ranks": ranks})

    def _end(self, job: Job, status: Status, data: dict[str, Any]) -> None:
        was_queued = job.status is Status.queued
        job.set_status(status)
        self._active.remove(job)
        self._metrics.count_job(status.value)
        self._store.evict()
        job.events.publish(status.value, data)
        if was_queued:
            self._publish_positions()
        self._changed.notify_all()

    def _retry_after(self) -> int:
        images = sum(len(job.queued_images) for job in self._active)
        return min(600, max(1, math.ceil(self._seconds_per_image * images / len(self._threads))))

    def _count_queued_jobs(self) -> int:
        return sum(job.status is Status.queued for job in self._active)

    def _count_running_images(self) -> int:
        return sum(image.status is Status.running for job in list(self._active) for image in job.images)
