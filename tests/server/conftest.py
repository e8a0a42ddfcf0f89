from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from semguide.server.served_models import ServedModel, Worker, find_models, load_worker
from semguide.server.settings import Limits, ServerSettings
from support.live_server import MANY_STEPS, Live, running

Start = Callable[..., AbstractContextManager[Live]]
LIMITS = {"steps": MANY_STEPS, "queue": 4, "images": 6}


@pytest.fixture(scope="session")
def models(tiny: Path) -> dict[str, ServedModel]:
    return find_models([str(tiny)])


@pytest.fixture(scope="session")
def worker(models: dict[str, ServedModel]) -> Worker:
    return load_worker(models, "cpu")


@pytest.fixture(scope="session")
def start_server(models: dict[str, ServedModel], worker: Worker) -> Start:
    """Start a server: keyword arguments of Settings, and of Limits in `limits`."""

    def start(limits: dict[str, Any] | None = None, **settings: Any) -> AbstractContextManager[Live]:
        chosen = ServerSettings(port=0, limits=Limits(**{**LIMITS, **(limits or {})}), **settings)
        return running(models, worker, chosen)

    return start


@pytest.fixture(scope="module")
def live(start_server: Start) -> Iterator[Live]:
    """A server for the tests of one file."""
    with start_server() as server:
        yield server
