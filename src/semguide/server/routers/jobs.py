"""Jobs: start, look, follow, stop, take the images."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Response
from fastapi.responses import StreamingResponse

from semguide.server.errors import NotFound, responses
from semguide.server.jobs import Job
from semguide.server.replies import job_reply, run_json
from semguide.server.schemas import JobReply, JobRequest
from semguide.server.state import ServerOf

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])
JobId = Annotated[str, Path(description="The job's id.", max_length=64)]
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-sent events: queued, started, step, preview, image, warning; then done, failed or "
        "cancelled. Resumes after `Last-Event-ID`.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    },
    204: {"description": "The job is over and every event has been seen."},
}
_PNG: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The image, with its parameters and trace in text chunks.",
        "content": {"image/png": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post("", status_code=202, summary="Start a job", responses=responses(400, 401, 403, 404, 413, 429, 503))
async def start_job(body: JobRequest, response: Response, server: ServerOf) -> JobReply:
    """Put a run into the queue: one image for each seed and method, compared methods first."""
    job = server.submit(body, live=True)
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return job_reply(job, server.engine.position(job))


@router.get("/{job}", summary="How far a job is", responses=responses(400, 404))
async def get_job(job: JobId, server: ServerOf) -> JobReply:
    """Return a job, with what is known of each image."""
    found = server.find(job)
    return job_reply(found, server.engine.position(found))


@router.delete("/{job}", summary="Stop a job", responses=responses(400, 401, 403, 404))
async def cancel_job(job: JobId, server: ServerOf) -> JobReply:
    """Stop a job: at once if it waits, at its next step if it runs. Finished images stay; a finished job too."""
    found = server.find(job)
    server.engine.cancel(found)
    return job_reply(found, server.engine.position(found))


@router.get(
    "/{job}/events", summary="Follow a job", response_class=Response, responses={**_STREAM, **responses(400, 404)}
)
async def follow_job(
    job: JobId,
    server: ServerOf,
    last_event_id: Annotated[str | None, Header(description="Id of the last event seen.", max_length=32)] = None,
) -> Response:
    """Stream what happens to a job, from its beginning or from where the client stopped."""
    found = server.find(job)
    seen = re.fullmatch(r"[0-9]{1,18}", last_event_id or "")
    last = int(seen[0]) if seen else 0
    if found.feed.over and last >= found.feed.last:
        return Response(status_code=204)
    return StreamingResponse(_stream(found, last), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


@router.get(
    "/{job}/images/{index}.png",
    summary="An image of a job",
    response_class=Response,
    responses={**_PNG, **responses(400, 404)},
)
async def get_image(job: JobId, index: Annotated[int, Path(ge=0, le=10_000)], server: ServerOf) -> Response:
    """Return a finished image as a PNG file."""
    pictures = server.find(job).pictures
    png = pictures[index].png if index < len(pictures) else None
    if png is None:
        raise NotFound("image must be a finished one of the job; see its status at GET /v1/jobs/{job}")
    return Response(png, media_type="image/png", headers={"Cache-Control": "private, max-age=3600, immutable"})


@router.get("/{job}/run.json", summary="Everything needed to repeat a job", responses=responses(400, 404))
async def get_run(job: JobId, server: ServerOf) -> dict[str, Any]:
    """Return the run.json of a job: `semguide generate --from run.json` makes the images again and compares them."""
    found = server.find(job)
    return run_json(found, server.engine.models[found.model])


async def _stream(job: Job, last: int) -> AsyncIterator[str]:
    yield "retry: 2000\n\n"
    async for event in job.feed.follow(last):
        yield ": waiting\n\n" if event is None else event.encode()
