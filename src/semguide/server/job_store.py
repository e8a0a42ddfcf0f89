"""The jobs that clients can look at: all that are unfinished, and the latest finished ones."""

from __future__ import annotations

from semguide.server.jobs import Job
from semguide.server.settings import Limits


class JobStore:
    """Jobs by their id.

    Args:
        limits: How many finished ones are kept, and how many bytes of images.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._jobs: dict[str, Job] = {}

    def add(self, job: Job) -> None:
        """Keep a job."""
        self._jobs[job.id] = job

    def find(self, id: str) -> Job | None:
        """Return a job; None if there is none, or it has been forgotten."""
        return self._jobs.get(id)

    def forget(self) -> None:
        """Forget the oldest finished jobs beyond the limits, but never the latest one."""
        finished = [job for job in self._jobs.values() if job.status.final]
        size = sum(job.size for job in finished)
        while len(finished) > self._limits.kept or (size > self._limits.kept_bytes and len(finished) > 1):
            oldest = finished.pop(0)
            size -= oldest.size
            del self._jobs[oldest.id]
