"""Listening socket and graceful shutdown: the first signal finishes running jobs, a second one exits at once."""

from __future__ import annotations

import socket
import threading
from types import FrameType

import uvicorn
from fastapi import FastAPI

from semguide.errors import InvalidArgument
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
        listener.listen(128)
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
        grace: Seconds that running jobs get to finish, > 0.
    """

    def __init__(self, app: FastAPI, engine: Engine, grace: float) -> None:
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
            timeout_graceful_shutdown=RESPONSE_TIMEOUT,
        )
        super().__init__(config)
        self._engine = engine
        self._grace = grace
        self._shutting_down = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Drain the engine on the first signal; exit at once on a second one."""
        del sig, frame
        if self._shutting_down:
            self.should_exit = self.force_exit = True
            return
        self._shutting_down = True
        threading.Thread(target=self._drain, name="drain", daemon=True).start()

    def _drain(self) -> None:
        self._engine.drain(self._grace)
        self.should_exit = True
