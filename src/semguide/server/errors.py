"""Error responses in OpenAI's form, never with a traceback."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from semguide.errors import InvalidArgument, SemguideError
from semguide.server.engine import RETRY_SECONDS, QueueFull, ShuttingDown, TooManyFollowers
from semguide.server.jobs import Failure
from semguide.server.reply_schemas import ErrorBody, ErrorReply
from semguide.server.requests import UnknownModel
from semguide.server.wording import param_of, sentence_of

INVALID = "invalid_request_error"
SERVER = "server_error"


class NotFound(SemguideError):
    """Job or image not found."""


class JobFailed(SemguideError):
    """The job of a waiting request failed."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def error_response(
    status: int, message: str, code: str | None = None, param: str | None = None, headers: dict[str, str] | None = None
) -> Response:
    """Return an error response; the body is ASCII, as a message may quote invalid text."""
    kind = "rate_limit_error" if status == 429 else SERVER if status >= 500 else INVALID
    body = ErrorReply(error=ErrorBody(message=message, type=kind, param=param, code=code))
    return Response(json.dumps(body.model_dump()), status, headers, "application/json")


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe the error responses of a route for the OpenAPI schema."""
    return {status: {"model": ErrorReply, "description": _DESCRIPTIONS[status]} for status in statuses}


_DESCRIPTIONS = {
    400: "Invalid value; the message names argument, rule and remedy.",
    401: "The API key is missing or wrong.",
    403: "Request from a page of another origin.",
    404: "Not found or expired.",
    413: "The request is too large.",
    429: "The queue is full, or too many clients wait or follow; `Retry-After` says for how long, in seconds.",
    500: "The images could not be generated.",
    503: "The server is shutting down.",
}


def install_handlers(app: FastAPI) -> None:
    """Install the handlers that turn every exception into an error response."""
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(SemguideError, _ours)
    app.add_exception_handler(Exception, _unexpected)


async def _ours(_: Request, error: Exception) -> Response:
    message = sentence_of(error)
    if isinstance(error, QueueFull):
        return error_response(429, message, "queue_full", headers={"Retry-After": str(error.retry_after)})
    if isinstance(error, TooManyFollowers):
        return error_response(429, message, "too_many_followers", headers={"Retry-After": str(RETRY_SECONDS)})
    if isinstance(error, JobFailed):
        return error_response(error.failure.status, message, error.failure.code)
    for kind, status, code in _STATUS:
        if isinstance(error, kind):
            param = param_of(error) if isinstance(error, InvalidArgument) else None
            return error_response(status, message, code, param)
    return error_response(500, message, "internal_error")


_STATUS: tuple[tuple[type[SemguideError], int, str], ...] = (
    (ShuttingDown, 503, "shutting_down"),
    (UnknownModel, 404, "model_not_found"),
    (NotFound, 404, "not_found"),
    (InvalidArgument, 400, "invalid_value"),
)


async def _invalid(_: Request, error: Exception) -> Response:
    first = error.errors()[0] if isinstance(error, RequestValidationError) else {}
    if first.get("type") == "json_invalid":
        where = f"{first['ctx']['error']} (character {first['loc'][-1]})"
        return error_response(400, f"body must be JSON, got what is none: {where}", "invalid_value")
    if isinstance(first.get("input"), bytes):
        return error_response(400, "body must be sent with 'Content-Type: application/json'", "invalid_value")
    param = ".".join(_places(first, getattr(error, "body", None))) or None
    got = repr(first.get("input"))
    got = got if len(got) <= 80 else f"{got[:77]}..."
    return error_response(400, f"{param or 'body'}: {first.get('msg', 'invalid')}, got {got}", "invalid_value", param)


def _places(found: Mapping[str, Any], body: Any) -> list[str]:
    """Return the fields that lead to what is wrong in a body, without the names of types that a value may have."""
    places: list[str] = []
    where, *path = found.get("loc", ("body",))
    for place in path:
        known = place in body if isinstance(body, dict) else isinstance(body, list) and isinstance(place, int)
        if where == "body" and not known and found.get("type") != "missing":
            break
        places.append(str(place))
        body = body[place] if known else None
    return places


async def _http(_: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 500)
    code = {400: "invalid_value", 404: "not_found", 405: "method_not_allowed"}.get(status)
    return error_response(status, str(getattr(error, "detail", error)), code, headers=getattr(error, "headers", None))


async def _unexpected(_: Request, error: Exception) -> Response:
    del error
    return error_response(500, "something went wrong in the server; its log has the details", "internal_error")
