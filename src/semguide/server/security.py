"""Security middleware: checks host, origin, API key and body size, and adds the security headers."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from semguide.server.errors import error_response
from semguide.server.hosts import parse_host, same_origin
from semguide.server.settings import ServerSettings

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
        "font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class SecurityMiddleware:
    """ASGI middleware that refuses requests from foreign hosts or origins, without a key, or too large.

    Args:
        app: The ASGI application.
        settings: Allowed hosts, API key and body limit.
        on_response: Called with HTTP method and status of each response.
    """

    def __init__(self, app: ASGIApp, settings: ServerSettings, on_response: Callable[[str, int], None]) -> None:
        self._app = app
        self._settings = settings
        self._on_response = on_response

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request or pass it to the application; a HEAD is answered as GET without a body."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "HEAD":
            scope, send = {**scope, "method": "GET"}, _without_body(send)
        send = self._with_headers(scope, send)
        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        try:
            body = await _read_body(receive, self._settings.limits.body)
        except ClientDisconnect:
            return
        if body is None:
            await self._too_large()(scope, receive, send)
        else:
            await self._app(scope, _replay(body, receive), send)

    def _refusal(self, scope: Scope) -> Response | None:
        """Return the answer to a request whose header is refused."""
        headers = Headers(scope=scope)
        host = parse_host(headers.get("host", ""))
        allowed = self._settings.hosts
        if allowed is not None and (host is None or host[0] not in allowed):
            return error_response(400, f"Host must name this server ({', '.join(sorted(allowed))})", "invalid_host")
        origin = headers.get("origin")
        if scope["method"] not in SAFE_METHODS and origin is not None and not same_origin(origin, host):
            return error_response(403, "Origin must be this server: pages of others may not ask it", "foreign_origin")
        if self._needs_key(scope["method"], scope["path"]) and not self._has_key(headers):
            message = "Authorization must be 'Bearer KEY' with the key of this server"
            return error_response(401, message, "invalid_api_key", headers={"WWW-Authenticate": "Bearer"})
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length[:20]) > self._settings.limits.body:
            return self._too_large()
        return None

    def _too_large(self) -> Response:
        return error_response(413, f"body must be at most {self._settings.limits.body} bytes", "too_large")

    def _needs_key(self, method: str, path: str) -> bool:
        """Whether a key is needed; not to read a job, whose id is itself a secret."""
        if self._settings.api_key is None or (method == "GET" and path.startswith("/v1/jobs/")):
            return False
        return path.startswith("/v1/") or path == "/metrics"

    def _has_key(self, headers: Headers) -> bool:
        kind, _, given = headers.get("authorization", "").partition(" ")
        wanted = (self._settings.api_key or "").encode()
        return hmac.compare_digest(given.strip().encode("utf-8", "replace"), wanted) and kind.lower() == "bearer"

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
                self._on_response(scope["method"], message["status"])
            await send(message)

        return sending


async def _read_body(receive: Receive, limit: int) -> bytes | None:
    """Read a request's body; None if it has more bytes than the limit.

    Raises:
        ClientDisconnect: The client went away before its end.
    """
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > limit:
            return None
        if not message.get("more_body", False):
            return body


def _without_body(send: Send) -> Send:
    """Return a `send` that ends the response after its header."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            await send(message)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    return sending


def _replay(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def receiving() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receiving
