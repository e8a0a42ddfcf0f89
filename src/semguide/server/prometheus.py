"""Metrics of a server for Prometheus; each server has a registry of its own."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

_HTTP_METHODS = frozenset({"GET", "HEAD", "POST", "DELETE", "OPTIONS"})
BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500)
"""Upper bounds of the histogram of seconds per image."""


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
            "semguide_image_seconds", "Seconds an image took.", ["method"], buckets=BUCKETS, registry=self.registry
        )
        self._evaluations = Counter(
            "semguide_denoiser_evaluations", "Denoiser evaluations.", ["method"], registry=self.registry
        )

    def set_gauges(self, queue_length: Callable[[], float], images_in_flight: Callable[[], float]) -> None:
        """Set the functions that the gauges are read from."""
        self._queue.set_function(queue_length)
        self._in_flight.set_function(images_in_flight)

    def count_image(self, method: str, seconds: float, evaluations: int) -> None:
        """Count a generated image.

        Args:
            method: Name of its method.
            seconds: Wall-clock seconds it took.
            evaluations: Denoiser evaluations it took.
        """
        self._seconds.labels(method).observe(seconds)
        self._evaluations.labels(method).inc(evaluations)

    def count_job(self, outcome: str) -> None:
        """Count a job that ended: done, failed, cancelled or refused."""
        self._jobs.labels(outcome).inc()

    def count_request(self, http_method: str, status: int) -> None:
        """Count an answered request by HTTP method and status."""
        self._requests.labels(http_method if http_method in _HTTP_METHODS else "other", str(status)).inc()

    def render(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self.registry)
