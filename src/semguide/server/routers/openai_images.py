"""What OpenAI's clients ask: images and models."""

from __future__ import annotations

import asyncio
import base64
import time

from fastapi import APIRouter, Request

from semguide.errors import InvalidArgument
from semguide.server.errors import Failed, responses
from semguide.server.jobs import Failure, Job, Picture, Status
from semguide.server.replies import concept_models, image_report, image_url, model_card
from semguide.server.requests import find_served
from semguide.server.schemas import ImagePayload, ImagesReply, ImagesRequest, ModelCard, ModelList, RunReport
from semguide.server.state import ServerOf

router = APIRouter(prefix="/v1", tags=["OpenAI"])
CANCELLED = Failure(503, "cancelled", "the job was cancelled while it was waited for")


@router.post(
    "/images/generations",
    summary="Make images and wait for them",
    responses=responses(400, 401, 403, 404, 413, 429, 500, 503),
)
async def generate_images(body: ImagesRequest, request: Request, server: ServerOf) -> ImagesReply:
    """Make images of a prompt: OpenAI's Images API, with all that is special to semguide in `semguide`.

    With `compare`, each seed gives one image per method. A client that goes away frees its place.
    """
    job = server.submit(body, live=False)
    await _finished(job, request, server)
    if job.status is not Status.done:
        raise Failed(job.failure or CANCELLED)
    base = str(request.base_url).rstrip("/") if body.response_format == "url" else None
    run = job.run
    return ImagesReply(
        created=int(job.created),
        data=[_made(job, picture, base) for picture in job.pictures],
        size=f"{run.sampling.width}x{run.sampling.height}",
        semguide=RunReport(
            job=job.id,
            concepts=concept_models(run.concepts),
            warnings=job.warnings,
            seconds=round(time.time() - job.created, 3),
        ),
    )


@router.get("/models", summary="The models named when the server was started", responses=responses(401))
async def list_models(server: ServerOf) -> ModelList:
    """List the models; the first one is used where a request names none."""
    return ModelList(data=[model_card(model) for model in server.engine.models.values()])


@router.get("/models/{model:path}", summary="One model", responses=responses(400, 401, 404))
async def get_model(model: str, server: ServerOf) -> ModelCard:
    """Describe a model: its defaults and ranges."""
    return model_card(find_served(server.engine.models, model))


async def _finished(job: Job, request: Request, server: ServerOf) -> None:
    """Wait for the end of a job; cancel it if the client goes away, or the request is."""
    waiting = [asyncio.ensure_future(_end_of(job)), asyncio.ensure_future(_gone(request))]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
        server.engine.cancel(job)


async def _end_of(job: Job) -> None:
    async for _ in job.feed.follow():
        pass


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _made(job: Job, picture: Picture, base: str | None) -> ImagePayload:
    report = image_report(picture)
    if report is None or picture.png is None:
        raise InvalidArgument("image must be made before it is sent")
    if base is not None:
        return ImagePayload(url=f"{base}{image_url(job, picture)}", semguide=report)
    return ImagePayload(b64_json=base64.b64encode(picture.png).decode(), semguide=report)
