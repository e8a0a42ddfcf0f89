"""Routes of OpenAI's Images and Models APIs."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Mapping

from fastapi import APIRouter, Request

from semguide.errors import InvalidArgument
from semguide.server.dependencies import ServerDependency
from semguide.server.errors import JobFailed, responses
from semguide.server.jobs import Event, Failure, ImageTask, Job, Status
from semguide.server.json_bodies import JsonRoute
from semguide.server.replies import concept_models, image_report, image_url, job_ranks, model_card
from semguide.server.reply_schemas import ImagePayload, ImagesReply, ModelCard, ModelList, RunReport
from semguide.server.request_schemas import ImagesRequest
from semguide.server.requests import find_served

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
    server.engine.check_followers()
    job = server.submit(body, live=False)
    await _wait(job, await server.engine.follow(job), request, server)
    if job.status is not Status.done:
        raise JobFailed(job.failure or CANCELLED)
    base = str(request.base_url).rstrip("/") if body.response_format == "url" else None
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


@router.get("/models", summary="The served models", responses=responses(401))
async def list_models(server: ServerDependency) -> ModelList:
    """List the models; the first one is the default."""
    return ModelList(data=[model_card(model) for model in server.engine.models.values()])


@router.get("/models/{model:path}", summary="One model", responses=responses(400, 401, 404))
async def get_model(model: str, server: ServerDependency) -> ModelCard:
    """Return a model with its defaults and ranges."""
    return model_card(find_served(server.engine.models, model))


async def _wait(job: Job, events: AsyncIterator[Event | None], request: Request, server: ServerDependency) -> None:
    """Wait for the end of a job; cancel it if the client disconnects or the request is cancelled."""
    waiting = [asyncio.ensure_future(_ended(events)), asyncio.ensure_future(_disconnected(request))]
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
