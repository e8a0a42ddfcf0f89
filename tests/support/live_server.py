"""A real server on a free port of this machine, in a thread, on the tiny checkpoint."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from semguide.server.app import create_app
from semguide.server.dependencies import Server
from semguide.server.engine import Engine
from semguide.server.prometheus import Metrics
from semguide.server.served_models import ServedModel, Worker
from semguide.server.settings import ServerSettings
from semguide.server.shutdown import DrainingServer, address, listen

PROMPT = "a red book and a yellow vase"
MANY_STEPS = 900
"""Steps of a job that is still running when a test looks at it."""


@dataclass(frozen=True)
class Live:
    """A server that runs, and a client of it."""

    url: str
    http: httpx.Client
    engine: Engine
    uvicorn: DrainingServer

    def start(self, steps: int = 2, prompt: str = PROMPT, n: int = 1, **semguide: Any) -> dict[str, Any]:
        """Start a job."""
        body = {"prompt": prompt, "n": n, "semguide": {"steps": steps, **semguide}}
        return self.http.post("/v1/jobs", json=body).raise_for_status().json()

    def job(self, id: str) -> dict[str, Any]:
        """Return a job."""
        return self.http.get(f"/v1/jobs/{id}").raise_for_status().json()

    def cancel(self, id: str) -> dict[str, Any]:
        """Stop a job."""
        return self.http.delete(f"/v1/jobs/{id}").raise_for_status().json()

    def events(self, id: str, after: int | None = None, **query: Any) -> list[dict[str, Any]]:
        """Follow a job to its end."""
        headers = {} if after is None else {"Last-Event-ID": str(after)}
        with self.http.stream("GET", f"/v1/jobs/{id}/events", headers=headers, params=query) as reply:
            return list(parse_events(reply.iter_lines()))

    def until(self, id: str, *statuses: str) -> dict[str, Any]:
        """Wait until a job has one of these statuses."""
        return wait_for(lambda: found if (found := self.job(id))["status"] in statuses else None)

    def metric(self, name: str) -> float:
        """Return a value of /metrics, 0 where there is none yet."""
        lines = self.http.get("/metrics").text.splitlines()
        return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name} ")), 0.0)


def parse_events(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    """Read server-sent events."""
    event: dict[str, Any] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if name in {"id", "event", "data"}:
            event[name] = json.loads(value) if name != "event" else value
        elif not line and event:
            yield event
            event = {}


def wait_for(look: Any, seconds: float = 60.0) -> Any:
    """Return what `look` finds, once it finds something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.01)
    raise TimeoutError(f"nothing after {seconds} seconds")


@contextmanager
def running(models: dict[str, ServedModel], worker: Worker, settings: ServerSettings) -> Iterator[Live]:
    """Run a server while the context lasts."""
    metrics = Metrics()
    engine = Engine(models, [worker], settings.limits, settings.batch, metrics)
    listener = listen(settings)
    server = DrainingServer(create_app(Server(engine, settings, metrics)), engine, settings)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    engine.start()
    thread.start()
    headers = {} if settings.api_key is None else {"Authorization": f"Bearer {settings.api_key}"}
    try:
        with httpx.Client(base_url=address(listener), timeout=60, headers=headers) as http:
            yield Live(address(listener), http, engine, server)
    finally:
        for job in list(engine._active):
            engine.cancel(job)
        engine.drain(10)
        server.should_exit = True
        thread.join(20)
        listener.close()
        assert not thread.is_alive()
