"""Listening, and ending well: the first signal finishes what runs and refuses the rest, a second one ends at once."""

from __future__ import annotations

import socket
import threading
from types import FrameType

import uvicorn
from fastapi import FastAPI

from semguide.errors import InvalidArgument
from semguide.server.engine import Engine
from semguide.server.settings import ServerSettings

LAST_ANSWERS = 10
"""Seconds that answers get to reach their clients after the last job."""


def listen(settings: ServerSettings) -> socket.socket:
    """Return a socket that listens.

    Raises:
        InvalidArgument: The address is taken, or none of this machine's.
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
            f"host and port (--host, --port) must be a free address of this machine, got {settings.host} port "
            f"{settings.port} ({error.strerror}); choose another --port"
        ) from error
    return listener


def address(listener: socket.socket) -> str:
    """Return the URL of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class DrainingServer(uvicorn.Server):
    """A uvicorn server that goes on answering while its engine finishes, and then ends with exit code 0.

    Args:
        app: The application.
        engine: What is to finish.
        grace: Seconds that it gets.
    """

    def __init__(self, app: FastAPI, engine: Engine, grace: float) -> None:
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
            timeout_graceful_shutdown=LAST_ANSWERS,
        )
        super().__init__(config)
        self._engine = engine
        self._grace = grace
        self._asked = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end; a second signal ends at once."""
        del sig, frame
        if self._asked:
            self.should_exit = self.force_exit = True
            return
        self._asked = True
        threading.Thread(target=self._drain, name="drain", daemon=True).start()

    def _drain(self) -> None:
        self._engine.drain(self._grace)
        self.should_exit = True
