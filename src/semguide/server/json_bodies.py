"""Bodies of requests, read as strictly as JSON files are."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute

from semguide.files import parse_json


class JsonRequest(Request):
    """A request whose JSON has no NaN, no number beyond 64 bits, no lone surrogate, and each key once."""

    async def json(self) -> Any:
        """Return the value of the body.

        Raises:
            HTTPException: It is JSON that not every program reads.
            JSONDecodeError: It is no JSON.
        """
        try:
            return parse_json(await self.body())
        except json.JSONDecodeError:
            raise
        except ValueError as error:
            raise HTTPException(400, f"body must be JSON that every program reads: {error}") from error


class JsonRoute(APIRoute):
    """A route whose requests are `JsonRequest`s."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request."""
        answer = super().get_route_handler()

        async def handle(request: Request) -> Response:
            return await answer(JsonRequest(request.scope, request.receive))

        return handle
