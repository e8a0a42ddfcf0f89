"""Routes for monitoring: /healthz, /readyz and /metrics."""

from __future__ import annotations

from fastapi import APIRouter, Response

from semguide.server.dependencies import ServerDependency
from semguide.server.errors import responses
from semguide.server.reply_schemas import Health

router = APIRouter(tags=["operation"])
_TEXT = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Prometheus' text format."}}


@router.get("/healthz", summary="Whether the process answers")
async def healthz() -> Health:
    """Return ok while the process is alive."""
    return Health(status="ok")


@router.get("/readyz", summary="Whether it accepts jobs", responses={503: {"model": Health}})
async def readyz(response: Response, server: ServerDependency) -> Health:
    """Return ready, or 503 while the server is shutting down or a worker has died."""
    if server.engine.ready:
        return Health(status="ready")
    response.status_code = 503
    return Health(status="draining")


@router.get(
    "/metrics", summary="Metrics for Prometheus", response_class=Response, responses={**_TEXT, **responses(401)}
)
async def metrics(server: ServerDependency) -> Response:
    """Return queue length, images in flight, jobs by outcome, seconds and evaluations of images, and memory."""
    return Response(server.metrics.render(), media_type="text/plain; version=0.0.4; charset=utf-8")
