"""The dependency that the routers share: engine, settings and metrics of their application."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from semguide.runs.request import Plan
from semguide.server.engine import Engine
from semguide.server.errors import NotFound
from semguide.server.jobs import Job
from semguide.server.prometheus import Metrics
from semguide.server.request_schemas import ImagesRequest, JobRequest
from semguide.server.requests import find_served, plan_job
from semguide.server.settings import ServerSettings


@dataclass(frozen=True)
class Server:
    """Engine, settings and metrics of one application.

    Attributes:
        engine: The job queue and its workers.
        settings: How the server runs.
        metrics: What Prometheus reads.
    """

    engine: Engine
    settings: ServerSettings
    metrics: Metrics

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
        return self.engine.submit(self.plan(body), find_served(self.engine.models, body.model).id, live)

    def plan(self, body: ImagesRequest | JobRequest) -> Plan:
        """Check a request.

        Raises:
            InvalidArgument: A value breaks a rule or a limit.
        """
        model = find_served(self.engine.models, body.model)
        return plan_job(body, model, self.engine.device, self.settings.limits)

    def find(self, id: str) -> Job:
        """Return a job by its id.

        Raises:
            NotFound: There is no such job, or it has expired.
        """
        job = self.engine.find(id)
        if job is None:
            raise NotFound("job not found or expired; start a new one with POST /v1/jobs")
        return job


def get_server(request: Request) -> Server:
    """Return the server of the application that a request came to."""
    return request.app.state.server


ServerDependency = Annotated[Server, Depends(get_server)]
