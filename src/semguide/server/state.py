"""What the routers share: the engine and the settings of their application."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from semguide.server.engine import Engine
from semguide.server.errors import NotFound
from semguide.server.jobs import Job
from semguide.server.metrics import Metrics
from semguide.server.requests import find_served, plan_job
from semguide.server.schemas import ImagesRequest, JobRequest
from semguide.server.settings import ServerSettings


@dataclass(frozen=True)
class Server:
    """One server."""

    engine: Engine
    settings: ServerSettings
    metrics: Metrics

    def submit(self, body: ImagesRequest | JobRequest, live: bool) -> Job:
        """Check a request and put it into the queue.

        Raises:
            InvalidArgument: A value breaks a rule or a limit.
            QueueFull: As many jobs wait as may.
            ShuttingDown: The server is shutting down.
        """
        model = find_served(self.engine.models, body.model)
        plan = plan_job(body, model, self.engine.device, self.settings.limits)
        return self.engine.submit(plan, model.id, live)

    def find(self, id: str) -> Job:
        """Return a job by its id; raises NotFound."""
        job = self.engine.find(id)
        if job is None:
            raise NotFound("job must be one that this server still keeps; make a new one with POST /v1/jobs")
        return job


def server_of(request: Request) -> Server:
    """Return the server that a request came to."""
    return request.app.state.server


ServerOf = Annotated[Server, Depends(server_of)]
