"""Jobs, the event log of each, and the store in which clients find them."""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from semguide.files import without_nan
from semguide.runs.request import Plan
from semguide.runs.run import Method, Run
from semguide.server.settings import Limits
from semguide.server.wording import sentence_of

FINAL = frozenset({"done", "failed", "cancelled"})
"""Names of the events that end a log."""


@dataclass(frozen=True)
class Event:
    """One server-sent event.

    Attributes:
        id: 1-based number within the job.
        name: `queued`, `started`, `step`, `preview`, `image`, `warning`, or one of `FINAL`.
        data: JSON values.
    """

    id: int
    name: str
    data: dict[str, Any]

    def encode(self) -> str:
        """Return the event in the text/event-stream format; null in the place of NaN and infinity."""
        data = json.dumps(without_nan(self.data), allow_nan=False)
        return f"id: {self.id}\nevent: {self.name}\ndata: {data}\n\n"


class EventLog:
    """Server-sent events of one job: published from any thread, followed by any number of clients."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: list[Event] = []
        self._last = 0
        self._closed = False
        self._followers: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}
        self._previewed = 0

    @property
    def followers(self) -> int:
        """How many clients are following now."""
        return len(self._followers)

    @property
    def previewed(self) -> bool:
        """Whether a client that is following now wants previews."""
        return self._previewed > 0

    @property
    def last(self) -> int:
        """Id of the latest event, 0 before the first."""
        return self._last

    @property
    def closed(self) -> bool:
        """Whether a final event has been published."""
        return self._closed

    def publish(self, name: str, data: dict[str, Any], replaces: dict[str, Any] | None = None) -> None:
        """Add an event and wake the clients; does nothing after a final event.

        Args:
            name: Name of the event.
            data: JSON values.
            replaces: Drops the earlier events of this name whose data hold these values; None: drops none.
        """
        with self._lock:
            if self._closed:
                return
            if replaces is not None:
                self._events = [e for e in self._events if e.name != name or not replaces.items() <= e.data.items()]
            self._last += 1
            self._events.append(Event(self._last, name, data))
            self._closed = name in FINAL
            followers = list(self._followers.items())
        for flag, loop in followers:
            loop.call_soon_threadsafe(flag.set)

    def since(self, last: int) -> list[Event]:
        """Return the events with an id greater than `last`."""
        with self._lock:
            return [event for event in self._events if event.id > last]

    async def follow(
        self, last: int = 0, *, previews: bool = True, keep_alive: float = 15.0
    ) -> AsyncIterator[Event | None]:
        """Yield None at once, the follower being counted, then the events after an id, until a final one.

        Args:
            last: Id of the last event seen, 0: from the first one.
            previews: Whether this client wants previews; they are made only if one does.
            keep_alive: Seconds without an event after which None is yielded, > 0.
        """
        flag = asyncio.Event()
        with self._lock:
            self._followers[flag] = asyncio.get_running_loop()
            self._previewed += previews
        try:
            yield None
            while True:
                flag.clear()
                closed = self._closed
                for event in self.since(last):
                    last = event.id
                    yield event
                if closed:
                    return
                try:
                    await asyncio.wait_for(flag.wait(), keep_alive)
                except asyncio.TimeoutError:
                    yield None
        finally:
            with self._lock:
                del self._followers[flag]
                self._previewed -= previews


class Status(str, Enum):
    """Status of a job or of one of its images; the last three are final."""

    queued = "queued"
    running = "running"
    done = "done"
    failed = "failed"
    cancelled = "cancelled"

    @property
    def final(self) -> bool:
        """Whether no other status can follow."""
        return self not in (Status.queued, Status.running)


_NEXT = {
    Status.queued: {Status.running, Status.failed, Status.cancelled},
    Status.running: {Status.done, Status.failed, Status.cancelled},
}


@dataclass(eq=False)
class ImageTask:
    """One image of a job.

    Attributes:
        job: The job.
        index: 0-based number of the image in the job.
        method: The method.
        seed: The seed.
        status: `queued`, `running` or `done`.
        step: Finished denoising steps.
        png: The PNG file with its metadata; None until the image is done.
        record: The image's record in run.json and in the PNG file.
        trace: `Trace.to_dict` of the image.
    """

    job: Job = field(repr=False)
    index: int
    method: Method
    seed: int
    status: Status = Status.queued
    step: int = 0
    png: bytes | None = None
    record: dict[str, Any] | None = None
    trace: dict[str, Any] | None = None

    @property
    def steps(self) -> int:
        """Number of denoising steps."""
        return self.job.run.alone(self.method).sampling.num_inference_steps


@dataclass(frozen=True)
class Failure:
    """Why a job failed: HTTP status, the `code` of OpenAI's error form and a sentence."""

    status: int
    code: str
    message: str


@dataclass(eq=False)
class Job:
    """A run requested from the server. Only the engine changes it.

    Attributes:
        plan: The run and its model.
        model: Public name of the model.
        live: Whether step events are published.
        id: 128 random bits in hex; whoever knows it may read the job.
        created: Unix time in seconds.
        status: Status of the job.
        stop_requested: Whether no image of it is to be started or finished any more: cancelled, failed or shut down.
        failure: Why it failed, None if it has not.
        warnings: Warnings for the user.
        images: Its images, in the order of the run.
        events: Its event log.
        device: torch device; None until it starts.
    """

    plan: Plan
    model: str
    live: bool = True
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    created: float = field(default_factory=time.time)
    status: Status = Status.queued
    stop_requested: bool = False
    failure: Failure | None = None
    warnings: list[str] = field(default_factory=list)
    images: list[ImageTask] = field(default_factory=list)
    events: EventLog = field(default_factory=EventLog)
    device: str | None = None

    def __post_init__(self) -> None:
        for warning in self.plan.warnings:
            self.warn(sentence_of(warning))
        pairs = [(method, seed) for seed in self.run.seeds for method in self.run.methods]
        self.images = [ImageTask(self, index, method, seed) for index, (method, seed) in enumerate(pairs)]

    @property
    def run(self) -> Run:
        """The run."""
        return self.plan.run

    @property
    def queued_images(self) -> list[ImageTask]:
        """The images that no worker has started."""
        return [image for image in self.images if image.status is Status.queued]

    @property
    def size(self) -> int:
        """Bytes of the finished PNG files."""
        return sum(len(image.png or b"") for image in self.images)

    @property
    def finished(self) -> bool:
        """Whether every image is done."""
        return all(image.status is Status.done for image in self.images)

    def warn(self, message: str) -> None:
        """Add a warning to the job and publish it as an event, once."""
        if message not in self.warnings:
            self.warnings.append(message)
            self.events.publish("warning", {"message": message})

    def assign(self, device: str) -> None:
        """Set the device that generates the job's images."""
        self.device = device
        self.plan = replace(self.plan, run=replace(self.run, device=device))

    def set_status(self, status: Status) -> None:
        """Change the status.

        Raises:
            RuntimeError: The status cannot follow the present one.
        """
        if status not in _NEXT.get(self.status, set()):
            raise RuntimeError(f"a job that is {self.status.value} cannot become {status.value}")
        self.status = status


class JobStore:
    """The jobs that clients can read: all unfinished ones and the latest finished ones.

    Args:
        limits: How many finished jobs are kept, and how many bytes of their images.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._jobs: dict[str, Job] = {}

    def add(self, job: Job) -> None:
        """Store a job."""
        self._jobs[job.id] = job

    def find(self, id: str) -> Job | None:
        """Return a job by its id; None if it is unknown or expired."""
        return self._jobs.get(id)

    def count_followers(self) -> int:
        """Return how many clients follow the jobs now."""
        return sum(job.events.followers for job in list(self._jobs.values()))

    def evict(self) -> None:
        """Drop the oldest finished jobs beyond the limits, but never the latest one."""
        finished = [job for job in self._jobs.values() if job.status.final]
        size = sum(job.size for job in finished)
        while len(finished) > self._limits.kept or (size > self._limits.kept_bytes and len(finished) > 1):
            oldest = finished.pop(0)
            size -= oldest.size
            del self._jobs[oldest.id]
