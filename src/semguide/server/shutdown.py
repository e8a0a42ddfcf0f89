"""Listening socket and graceful shutdown: the first signal finishes running jobs, a second one exits at once."""

from __future__ import annotations

import asyncio
import socket
import threading
from types import FrameType

import uvicorn
from fastapi import FastAPI

from semguide.errors import InvalidArgument
from semguide.server.connections import BACKLOG, AcceptErrors, allow_open_files, limited_protocol
from semguide.server.engine import Engine
from semguide.server.settings import ServerSettings

RESPONSE_TIMEOUT = 10
"""Seconds for open responses to be sent after the last job."""


def listen(settings: ServerSettings) -> socket.socket:
    """Open the listening socket of a server.

    Raises:
        InvalidArgument: The address is in use, or not of this machine.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise InvalidArgument(
            "host",
            f"and {{port}} must be a free address of this machine ({error.strerror})",
            f"{settings.host}:{settings.port}",
            "choose another {port}",
        ) from error
    return listener


def address(listener: socket.socket) -> str:
    """Return the URL of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class DrainingServer(uvicorn.Server):
    """A uvicorn server that answers requests until its engine has drained, then exits with code 0.

    Args:
        app: The application.
        engine: The engine to drain.
        settings: Limits and time limits of connections, and the seconds that running jobs get to finish.
    """

    def __init__(self, app: FastAPI, engine: Engine, settings: ServerSettings) -> None:
        config = uvicorn.Config(
            app,
            http=limited_protocol(settings),  # type: ignore[arg-type]
            backlog=BACKLOG,
            timeout_keep_alive=settings.timeouts.idle,  # type: ignore[arg-type]
            log_level="error",  # a warning a bad request would fill the disk
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
            timeout_graceful_shutdown=RESPONSE_TIMEOUT,
        )
        super().__init__(config)
        self._engine = engine
        self._settings = settings
        self._shutting_down = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to accept connections."""
        allow_open_files(self._settings.limits.connections)
        asyncio.get_running_loop().set_exception_handler(AcceptErrors())
        await super().startup(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Drain the engine on the first signal; exit at once on a second one."""
        del sig, frame
        if self._shutting_down:
            self.should_exit = self.force_exit = True
            return
        self._shutting_down = True
        threading.Thread(target=self._drain, name="drain", daemon=True).start()

    def _drain(self) -> None:
        self._engine.drain(self._settings.grace)
        self.should_exit = True
