"""For those who run the server: is it alive, does it take work, what has it done."""

from __future__ import annotations

from fastapi import APIRouter, Response

from semguide.server.errors import responses
from semguide.server.schemas import Health
from semguide.server.state import ServerOf

router = APIRouter(tags=["operation"])
_TEXT = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Prometheus' text form."}}


@router.get("/healthz", summary="Whether the process answers")
async def healthz() -> Health:
    """Say that the process is alive."""
    return Health(status="ok")


@router.get("/readyz", summary="Whether it takes work", responses={503: {"model": Health}})
async def readyz(response: Response, server: ServerOf) -> Health:
    """Say whether new jobs are taken: the models are loaded, the workers alive, and it is not shutting down."""
    if server.engine.ready:
        return Health(status="ready")
    response.status_code = 503
    return Health(status="draining")


@router.get(
    "/metrics", summary="Counters for Prometheus", response_class=Response, responses={**_TEXT, **responses(401)}
)
async def metrics(server: ServerOf) -> Response:
    """Return queue length, images in flight, jobs by outcome, seconds and evaluations of images, and memory."""
    return Response(server.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")
