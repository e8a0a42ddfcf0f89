"""Routes for jobs: start, status, cancel, events, images, run.json."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Response
from fastapi.responses import StreamingResponse

from semguide.server.dependencies import ServerDependency
from semguide.server.errors import NotFound, responses
from semguide.server.jobs import Event
from semguide.server.json_bodies import JsonRoute
from semguide.server.replies import cost_reply, job_reply, run_json
from semguide.server.reply_schemas import CostReply, JobReply
from semguide.server.request_schemas import JobRequest

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], route_class=JsonRoute)
JobId = Annotated[str, Path(description="The job's id.", max_length=64)]
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-sent events: queued, started, step, preview, image, warning; then done, failed or "
        "cancelled. Resumes after `Last-Event-ID`.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    },
    204: {"description": "The job has ended and every event has been seen."},
}
_PNG: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The image, with its parameters and trace in text chunks.",
        "content": {"image/png": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post("", status_code=202, summary="Start a job", responses=responses(400, 401, 403, 404, 413, 429, 503))
async def start_job(body: JobRequest, response: Response, server: ServerDependency) -> JobReply:
    """Put a job into the queue: one image per seed and method, compared methods first."""
    job = server.submit(body, live=True)
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return job_reply(job, server.engine.queue_position(job))


@router.post("/cost", summary="What a job would cost", responses=responses(400, 401, 403, 404, 413))
async def tell_cost(body: JobRequest, server: ServerDependency) -> CostReply:
    """Return the denoiser evaluations that a job would take, and its warnings; nothing is made."""
    return cost_reply(server.plan(body))


@router.get("/{job}", summary="Status of a job", responses=responses(400, 404))
async def get_job(job: JobId, server: ServerDependency) -> JobReply:
    """Return the status of a job and of each image."""
    found = server.find(job)
    return job_reply(found, server.engine.queue_position(found))


@router.delete("/{job}", summary="Cancel a job", responses=responses(400, 401, 403, 404))
async def cancel_job(job: JobId, server: ServerDependency) -> JobReply:
    """Cancel a job: at once if queued, at its next step if alone in its batch. What is finished stays."""
    found = server.find(job)
    server.engine.cancel(found)
    return job_reply(found, server.engine.queue_position(found))


@router.get(
    "/{job}/events",
    summary="Events of a job",
    response_class=Response,
    responses={**_STREAM, **responses(400, 404, 429)},
)
async def follow_job(
    job: JobId,
    server: ServerDependency,
    last_event_id: Annotated[str | None, Header(description="Id of the last event seen.", max_length=32)] = None,
    previews: Annotated[bool, Query(description="False: without `preview` events, whose making takes time.")] = True,
) -> Response:
    """Stream the events of a job as server-sent events, from the first or after `Last-Event-ID`."""
    found = server.find(job)
    seen = re.fullmatch(r"[0-9]{1,18}", last_event_id or "")
    last = int(seen[0]) if seen else 0
    if found.events.closed and last >= found.events.last:
        return Response(status_code=204)
    events = await server.engine.follow(found, last, previews=previews)
    return StreamingResponse(_event_stream(events), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


@router.get(
    "/{job}/images/{index}.png",
    summary="An image of a job",
    response_class=Response,
    responses={**_PNG, **responses(400, 404)},
)
async def get_image(job: JobId, index: Annotated[int, Path(ge=0, le=10_000)], server: ServerDependency) -> Response:
    """Return a finished image as a PNG file."""
    images = server.find(job).images
    png = images[index].png if index < len(images) else None
    if png is None:
        raise NotFound("image not found or not finished; see its status at GET /v1/jobs/{job}")
    return Response(png, media_type="image/png", headers={"Cache-Control": "private, max-age=3600, immutable"})


@router.get("/{job}/run.json", summary="Everything needed to repeat a job", responses=responses(400, 404))
async def get_run(job: JobId, server: ServerDependency) -> dict[str, Any]:
    """Return the run.json of a job: `semguide generate --from run.json` makes the images again and compares them."""
    found = server.find(job)
    return run_json(found, server.models[found.model])


async def _event_stream(events: AsyncIterator[Event | None]) -> AsyncIterator[str]:
    yield "retry: 2000\n\n"
    async for event in events:
        yield ": waiting\n\n" if event is None else event.encode()
