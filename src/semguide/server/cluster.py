"""The API before several processes that make the images: it keeps nothing, and asks another where one has died."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from semguide.errors import InvalidArgument
from semguide.server.app import assemble
from semguide.server.dependencies import Front, get_server
from semguide.server.engine import RETRY_SECONDS, QueueFull
from semguide.server.errors import JobFailed, error_response, responses
from semguide.server.jobs import Failure
from semguide.server.json_bodies import JsonRoute
from semguide.server.prometheus import Metrics
from semguide.server.reply_schemas import ImagesReply
from semguide.server.request_schemas import ImagesRequest
from semguide.server.routers import concepts, models
from semguide.server.served_models import ServedModel
from semguide.server.settings import ServerSettings

ATTEMPTS = 3
"""How many makers are asked for the images of a request before it fails, should each die."""
PAUSE = 0.5
"""Seconds after which one whose maker died asks again where the queue is full."""
ELSEWHERE = (
    "jobs, the page that runs on them and /metrics live in the memory of one process, and here several make the "
    "images: use POST /v1/images/generations, or start semguide serve on one machine"
)
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Makers:
    """The processes that make the images.

    Attributes:
        ask: Sends the JSON of an ImagesRequest to one of them; returns the JSON of the reply, or why there is none.
        died: What `ask` raises where the maker died before it answered.
        full: What `ask` raises where no more may wait.
    """

    ask: Callable[[str], Awaitable[bytes | Failure]]
    died: tuple[type[Exception], ...]
    full: type[Exception]


class ClusterFront(Front):
    """What checks requests and hands them to makers.

    Args:
        models: The models, by public name.
        settings: How the server runs; `limits.queue` are the requests that may wait here.
        makers: Where the images are made.
    """

    def __init__(self, models: Mapping[str, ServedModel], settings: ServerSettings, makers: Makers) -> None:
        super().__init__(models, "cpu", settings, Metrics())  # its plans are checks; a maker plans for its own device
        self._makers = makers

    async def generate(self, body: ImagesRequest) -> bytes:
        """Return the JSON of the reply to a request; a maker that dies is followed by another, with the same seeds.

        Raises:
            InvalidArgument: A value breaks a rule or a limit.
            QueueFull: As many wait as may.
            JobFailed: The images could not be made, or each maker that was asked died.
        """
        if body.response_format == "url":
            rule = "must be b64_json where several processes make the images: an address would lead to any of them"
            raise InvalidArgument("response_format", rule, "url", "leave it out")
        self.plan(body)
        request = body.model_dump_json(exclude_unset=True)
        died = 0
        while died < ATTEMPTS:
            try:
                answer = await self._makers.ask(request)
            except self._makers.full as error:
                if not died:
                    raise QueueFull(self.settings.limits.queue, RETRY_SECONDS) from error
                await asyncio.sleep(PAUSE)  # it was accepted before, and is not refused now
            except self._makers.died as error:
                died += 1
                _LOG.warning("a maker died over a request (attempt %d of %d): %s", died, ATTEMPTS, error)
            else:
                if isinstance(answer, Failure):
                    raise JobFailed(answer)
                return answer
        message = f"{ATTEMPTS} processes died while they made these images; ask for fewer or smaller ones"
        raise JobFailed(Failure(503, "maker_died", message))


FrontDependency = Annotated[ClusterFront, Depends(get_server)]
images = APIRouter(prefix="/v1", tags=["OpenAI"], route_class=JsonRoute)
elsewhere = APIRouter(include_in_schema=False)


@images.post(
    "/images/generations",
    summary="Generate images and wait for them",
    response_model=ImagesReply,
    responses=responses(400, 401, 403, 404, 413, 429, 500, 503),
)
async def generate_images(body: ImagesRequest, front: FrontDependency) -> Response:
    """Generate images of a prompt: OpenAI's Images API, with semguide's own options and results in `semguide`."""
    return Response(await front.generate(body), media_type="application/json")


@elsewhere.api_route("/", methods=["GET"])
@elsewhere.api_route("/metrics", methods=["GET"])
@elsewhere.api_route("/v1/jobs", methods=["GET", "POST"])
@elsewhere.api_route("/v1/jobs/{path:path}", methods=["GET", "POST", "DELETE"])
async def refuse() -> Response:
    """Say where jobs and the page are to be had."""
    return error_response(501, ELSEWHERE, "one_process_only")


def create_cluster_app(front: ClusterFront) -> FastAPI:
    """Create the ASGI application before the makers: images, models, concepts and methods; no jobs and no page."""
    app = assemble(front, [images, models.router, concepts.router, elsewhere])
    if front.settings.api_key is None:
        app.add_middleware(LoopbackOnly)
    return app


class LoopbackOnly:
    """ASGI middleware that answers clients of this machine only, as the proxy before it may listen to others.

    Args:
        app: The ASGI application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request of another machine, or pass it to the application."""
        client = scope.get("client")
        if scope["type"] == "http" and client and not ipaddress.ip_address(client[0]).is_loopback:
            message = "requests of other machines need a key: set SEMGUIDE_API_KEY where the application is started"
            await error_response(401, message, "invalid_api_key")(scope, receive, send)
            return
        await self._app(scope, receive, send)
