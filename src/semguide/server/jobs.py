"""A job: the images of one request, and how far they are."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from semguide.runs.request import Plan
from semguide.runs.run import Method, Run
from semguide.server.jobs_events import EventLog


class Status(str, Enum):
    """Where a job is; the last three are final."""

    queued = "queued"
    running = "running"
    done = "done"
    failed = "failed"
    cancelled = "cancelled"

    @property
    def final(self) -> bool:
        """Whether no other follows."""
        return self not in (Status.queued, Status.running)


_NEXT = {
    Status.queued: {Status.running, Status.failed, Status.cancelled},
    Status.running: {Status.done, Status.failed, Status.cancelled},
}


@dataclass(eq=False)
class Picture:
    """One image of a job.

    Attributes:
        index: Its place in the job.
        method: Its method.
        seed: Its seed.
        status: `queued`, `running` or `done`.
        step: Finished steps.
        png: The PNG file, with its metadata.
        record: The record in run.json and in the PNG file.
        trace: `Trace.to_dict` of the image.
    """

    index: int
    method: Method
    seed: int
    status: Status = Status.queued
    step: int = 0
    png: bytes | None = None
    record: dict[str, Any] | None = None
    trace: dict[str, Any] | None = None


@dataclass(frozen=True)
class Failure:
    """Why a job failed: HTTP status, the `code` of OpenAI's error form and a sentence."""

    status: int
    code: str
    message: str


@dataclass(eq=False)
class Job:
    """A run that was asked for. The engine alone changes it, under its lock.

    Attributes:
        plan: The run and its model.
        model: The model's public name.
        live: Whether a client may follow it step by step.
        id: 128 random bits: who knows it may read the job.
        created: Unix time.
        status: Where it is.
        cancelled: Whether it is to stop at the next step.
        failure: Why it failed.
        warnings: What the user should know.
        pictures: Its images, in the order of the run.
        feed: Its events.
        device: Where it is made; None until it begins.
    """

    plan: Plan
    model: str
    live: bool = True
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    created: float = field(default_factory=time.time)
    status: Status = Status.queued
    cancelled: bool = False
    failure: Failure | None = None
    warnings: list[str] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    feed: EventLog = field(default_factory=EventLog)
    device: str | None = None

    def __post_init__(self) -> None:
        for warning in self.plan.warnings:
            self.warn(warning)
        pairs = [(method, seed) for seed in self.run.seeds for method in self.run.methods]
        self.pictures = [Picture(index, method, seed) for index, (method, seed) in enumerate(pairs)]

    @property
    def run(self) -> Run:
        """The run."""
        return self.plan.run

    @property
    def waiting(self) -> list[Picture]:
        """The images that nobody has begun."""
        return [picture for picture in self.pictures if picture.status is Status.queued]

    @property
    def size(self) -> int:
        """Bytes of its finished images."""
        return sum(len(picture.png or b"") for picture in self.pictures)

    @property
    def finished(self) -> bool:
        """Whether every image is made."""
        return all(picture.status is Status.done for picture in self.pictures)

    def warn(self, message: str) -> None:
        """Tell the user something, in the job's description and as an event."""
        self.warnings.append(message)
        self.feed.publish("warning", {"message": message})

    def assign(self, device: str) -> None:
        """Have it made on a device."""
        self.device = device
        self.plan = replace(self.plan, run=replace(self.run, device=device))

    def move(self, status: Status) -> None:
        """Go to another status; raises RuntimeError where that one cannot follow."""
        if status not in _NEXT.get(self.status, set()):
            raise RuntimeError(f"a job that is {self.status.value} cannot become {status.value}")
        self.status = status
