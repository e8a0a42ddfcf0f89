"""What Prometheus sees of a server; each server has counters of its own."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

_METHODS = frozenset({"GET", "HEAD", "POST", "DELETE", "OPTIONS"})
SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500)


class Metrics:
    """Counts images, jobs and requests."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._queue = Gauge("semguide_queue_length", "Jobs that wait.", registry=self.registry)
        self._in_flight = Gauge("semguide_images_in_flight", "Images being made.", registry=self.registry)
        self._jobs = Counter("semguide_jobs", "Jobs that ended, by outcome.", ["outcome"], registry=self.registry)
        self._requests = Counter(
            "semguide_requests",
            "Requests answered, by method and status.",
            ["method", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "semguide_image_seconds", "Seconds an image took.", ["method"], buckets=SECONDS, registry=self.registry
        )
        self._evaluations = Counter(
            "semguide_denoiser_evaluations", "Denoiser evaluations.", ["method"], registry=self.registry
        )

    def look_at(self, queue: Callable[[], float], in_flight: Callable[[], float]) -> None:
        """Take the gauges from these functions."""
        self._queue.set_function(queue)
        self._in_flight.set_function(in_flight)

    def image_made(self, method: str, seconds: float, evaluations: int) -> None:
        """Count a finished image."""
        self._seconds.labels(method).observe(seconds)
        self._evaluations.labels(method).inc(evaluations)

    def job_ended(self, outcome: str) -> None:
        """Count a job: done, failed, cancelled or refused."""
        self._jobs.labels(outcome).inc()

    def answered(self, method: str, status: int) -> None:
        """Count a request."""
        self._requests.labels(method if method in _METHODS else "other", str(status)).inc()

    def text(self) -> bytes:
        """Return everything in Prometheus' text form."""
        return generate_latest(self.registry)
