"""The dependencies that the routers share: models, settings, metrics and engine of their application."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Request

from semguide.runs.request import Plan
from semguide.server.engine import Engine
from semguide.server.errors import NotFound
from semguide.server.jobs import Job
from semguide.server.prometheus import Metrics
from semguide.server.request_schemas import ImagesRequest, JobRequest
from semguide.server.requests import find_served, plan_job
from semguide.server.served_models import ServedModel
from semguide.server.settings import ServerSettings


class Front:
    """What checks the requests of one application.

    Args:
        models: The models, by public name.
        device: torch device that a checked request names.
        settings: How the server runs.
        metrics: What Prometheus reads.
    """

    def __init__(
        self, models: Mapping[str, ServedModel], device: str, settings: ServerSettings, metrics: Metrics
    ) -> None:
        self.models = models
        self.device = device
        self.settings = settings
        self.metrics = metrics

    def plan(self, body: ImagesRequest | JobRequest) -> Plan:
        """Check a request.

        Raises:
            InvalidArgument: A value breaks a rule or a limit.
        """
        return plan_job(body, find_served(self.models, body.model), self.device, self.settings.limits)


class Server(Front):
    """What checks requests and makes their images.

    Args:
        engine: The job queue and its workers.
        settings: How the server runs.
        metrics: What Prometheus reads.
    """

    def __init__(self, engine: Engine, settings: ServerSettings, metrics: Metrics) -> None:
        super().__init__(engine.models, engine.device, settings, metrics)
        self.engine = engine

    def submit(self, body: ImagesRequest | JobRequest, live: bool) -> Job:
        """Check a request and put it into the queue.

        Args:
            body: The request.
            live: Whether step events are published.

        Raises:
            InvalidArgument: A value breaks a rule or a limit.
            QueueFull: The queue is full.
            ShuttingDown: The server is shutting down.
        """
        return self.engine.submit(self.plan(body), find_served(self.models, body.model).id, live)

    def find(self, id: str) -> Job:
        """Return a job by its id.

        Raises:
            NotFound: There is no such job, or it has expired.
        """
        job = self.engine.find(id)
        if job is None:
            raise NotFound("job not found or expired; start a new one with POST /v1/jobs")
        return job


async def get_server(request: Request) -> Server:  # a plain function would wait for a thread
    """Return the server of the application that a request came to."""
    return request.app.state.server


FrontDependency = Annotated[Front, Depends(get_server)]
ServerDependency = Annotated[Server, Depends(get_server)]
