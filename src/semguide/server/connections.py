"""The connections of a server: uvicorn's HTTP protocol with time limits, and a limit on how many there are."""

from __future__ import annotations

import asyncio
import errno
import functools
import logging
import sys
import time
from collections.abc import Callable
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from semguide.server.settings import ServerSettings, Timeouts

SLOWEST_READER = 1024
"""Bytes per second that a client must take of an answer."""
BACKLOG = 128
"""Connections that wait to be accepted."""
SPARE_FILES = 512
"""Open files beside the connections: checkpoints, libraries, what is just being accepted."""
LOG_INTERVAL = 60.0
"""Seconds between two log lines about connections that could not be accepted."""
_TIMEOUT = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_FULL = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\nRetry-After: 5\r\n\r\n"
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_LOG = logging.getLogger(__name__)


class LimitedProtocol(H11Protocol):
    """One connection, closed where its client is too slow.

    A connection over the limit takes the place of the one that has waited longest for a whole request; where all are
    being answered it is refused with 503.

    Args:
        most: Most connections, >= 1.
        timeouts: Time limits.
        uvicorn: What uvicorn gives its protocol.
    """

    def __init__(self, most: int, timeouts: Timeouts, **uvicorn: Any) -> None:
        super().__init__(**uvicorn)
        self._most = most
        self._timeouts = timeouts
        self._awaited: str | None = None
        self._since = 0.0
        self._deadline: asyncio.TimerHandle | None = None
        self._reading: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the time limit of the first header, and make room for the connection."""
        super().connection_made(transport)
        self._await_request()
        if len(self.connections) > self._most:
            self._make_room()

    def data_received(self, data: bytes) -> None:
        """Read a piece of a request."""
        super().data_received(data)
        self._await_request()

    def on_response_complete(self) -> None:
        """Start the time limits of the next request, and of a client that has not read the answer."""
        super().on_response_complete()
        self._await_request()
        if self.transport.get_write_buffer_size():
            self._await_reader()

    def pause_writing(self) -> None:
        """Start the time limit of a client that does not read the answer."""
        super().pause_writing()
        self._await_reader()

    def resume_writing(self) -> None:
        """End the time limit of a client that reads the answer."""
        super().resume_writing()
        _cancel(self._reading)

    def connection_lost(self, exc: Exception | None) -> None:
        """End all time limits."""
        _cancel(self._deadline)
        _cancel(self._reading)
        super().connection_lost(exc)

    def _await_request(self) -> None:
        """Set the time limit of what is awaited of the client: a header, a body or nothing."""
        awaited = {h11.IDLE: "header", h11.SEND_BODY: "body"}.get(self.conn.their_state)
        if awaited == self._awaited or self.transport.is_closing():
            return
        self._awaited, self._since = awaited, time.monotonic()
        _cancel(self._deadline)
        if awaited is not None:
            self._deadline = self.loop.call_later(getattr(self._timeouts, awaited), self._give_up, _TIMEOUT)

    def _give_up(self, answer: bytes) -> None:
        """Close the connection, with an answer where none has begun and nothing is left to be sent."""
        self._awaited = None  # it is no longer among those that can make room
        _cancel(self._deadline)
        unanswered = self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE)
        if self.transport.get_write_buffer_size() or not unanswered:
            self.transport.abort()
            return
        self.transport.write(answer)
        self.transport.close()
        self._deadline = self.loop.call_later(self._timeouts.reading, self.transport.abort)

    def _await_reader(self) -> None:
        _cancel(self._reading)
        size = self.transport.get_write_buffer_size()
        self._reading = self.loop.call_later(self._timeouts.reading, self._check_reader, size)

    def _check_reader(self, before: int) -> None:
        taken = before - self.transport.get_write_buffer_size()
        if taken < min(before, SLOWEST_READER * self._timeouts.reading):
            self.transport.abort()
        elif taken < before:
            self._await_reader()

    def _make_room(self) -> None:
        waiting = [other for other in self.connections if getattr(other, "_awaited", None) is not None]
        oldest: Any = min(waiting, key=lambda other: other._since, default=self)  # type: ignore[union-attr]
        oldest._give_up(_FULL)


def limited_protocol(settings: ServerSettings) -> Callable[..., asyncio.Protocol]:
    """Return what makes the protocols of a server's connections."""
    return functools.partial(LimitedProtocol, settings.limits.connections, settings.timeouts)


def allow_open_files(connections: int) -> None:
    """Raise this process's limit of open files, as far as it may, to what that many connections need."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + SPARE_FILES
    if soft not in (resource.RLIM_INFINITY,) and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


class AcceptErrors:
    """Exception handler of an event loop: one log line a minute where connections cannot be accepted."""

    def __init__(self) -> None:
        self._last = -LOG_INTERVAL

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Log an exception that nothing caught."""
        error = context.get("exception")
        if not (isinstance(error, OSError) and error.errno in _EXHAUSTED and "socket" in context):
            loop.default_exception_handler(context)
        elif loop.time() - self._last >= LOG_INTERVAL:
            self._last = loop.time()
            _LOG.warning("connections cannot be accepted: %s; raise the limit of open files (ulimit -n)", error)


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
