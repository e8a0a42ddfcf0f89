"""The route of OpenAI's Images API."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any

from fastapi import APIRouter, Request

from semguide.errors import InvalidArgument
from semguide.server.dependencies import Server, ServerDependency
from semguide.server.errors import JobFailed, responses
from semguide.server.jobs import Event, Failure, ImageTask, Job, Status
from semguide.server.json_bodies import JsonRoute
from semguide.server.replies import concept_models, image_report, image_url, job_ranks
from semguide.server.reply_schemas import ImagePayload, ImagesReply, RunReport
from semguide.server.request_schemas import ImagesRequest

router = APIRouter(prefix="/v1", tags=["OpenAI"], route_class=JsonRoute)
CANCELLED = Failure(503, "cancelled", "the job was cancelled before it finished")


@router.post(
    "/images/generations",
    summary="Generate images and wait for them",
    responses=responses(400, 401, 403, 404, 413, 429, 500, 503),
)
async def generate_images(body: ImagesRequest, request: Request, server: ServerDependency) -> ImagesReply:
    """Generate images of a prompt: OpenAI's Images API, with semguide's own options and results in `semguide`.

    With `compare`, each seed gives one image per method. The job is cancelled if the client disconnects.
    """
    base = str(request.base_url).rstrip("/") if body.response_format == "url" else None
    return await make_images(body, server, base, partial(_disconnected, request))


async def make_images(
    body: ImagesRequest,
    server: Server,
    base: str | None = None,
    gone: Callable[[], Coroutine[Any, Any, None]] | None = None,
) -> ImagesReply:
    """Make the images of a request, and cancel their job where the caller is cancelled.

    Args:
        body: The request.
        server: Where they are made.
        base: Address of the server, for a reply with the addresses of the images; None: with the images.
        gone: Returns when nobody waits for the images any more, which cancels their job; None: somebody does.

    Raises:
        InvalidArgument: A value breaks a rule or a limit.
        QueueFull: The queue is full.
        TooManyFollowers: Too many clients wait already.
        ShuttingDown: The server is shutting down.
        JobFailed: The images could not be made.
    """
    server.engine.check_followers()
    job = server.submit(body, live=False)
    await _wait(job, [_ended(await server.engine.follow(job)), *([] if gone is None else [gone()])], server)
    if job.status is not Status.done:
        raise JobFailed(job.failure or CANCELLED)
    run, ranks = job.run, job_ranks(job)
    return ImagesReply(
        created=int(job.created),
        data=[_payload(image, base, ranks) for image in job.images],
        size=f"{run.sampling.width}x{run.sampling.height}",
        semguide=RunReport(
            job=job.id,
            concepts=concept_models(run.concepts),
            warnings=job.warnings,
            seconds=round(time.time() - job.created, 3),
        ),
    )


async def _wait(job: Job, ends: Sequence[Coroutine[Any, Any, None]], server: Server) -> None:
    """Wait for the first end; cancel the job if that is not its own, or the request is cancelled."""
    waiting = [asyncio.ensure_future(end) for end in ends]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
        server.engine.cancel(job)


async def _ended(events: AsyncIterator[Event | None]) -> None:
    async for _ in events:
        pass


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _payload(image: ImageTask, base: str | None, ranks: Mapping[int, int | None]) -> ImagePayload:
    report = image_report(image, ranks)
    if report is None or image.png is None:
        raise InvalidArgument("image", "must be finished before it is sent")
    if base is not None:
        return ImagePayload(url=f"{base}{image_url(image)}", semguide=report)
    return ImagePayload(b64_json=base64.b64encode(image.png).decode(), semguide=report)
