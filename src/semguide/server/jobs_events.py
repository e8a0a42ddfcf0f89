"""The events of a job: written by a worker's thread, followed by any number of clients, each from where it stopped."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

FINAL = frozenset({"done", "failed", "cancelled"})
"""Events after which none follows."""


@dataclass(frozen=True)
class Event:
    """One server-sent event.

    Attributes:
        id: Counts up from 1 within the job.
        name: `queued`, `started`, `step`, `preview`, `image`, `warning`, or one of `FINAL`.
        data: JSON values.
    """

    id: int
    name: str
    data: dict[str, Any]

    def encode(self) -> str:
        """Return the event as it goes over the wire."""
        return f"id: {self.id}\nevent: {self.name}\ndata: {json.dumps(self.data, allow_nan=False)}\n\n"


class EventLog:
    """Keeps the events of one job. `publish` may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: list[Event] = []
        self._last = 0
        self._over = False
        self._followers: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}

    @property
    def followed(self) -> bool:
        """Whether a client is listening now."""
        return bool(self._followers)

    @property
    def last(self) -> int:
        """The id of the latest event, 0 before the first."""
        return self._last

    @property
    def over(self) -> bool:
        """Whether the last event is there."""
        return self._over

    def publish(self, name: str, data: dict[str, Any], replaces: dict[str, Any] | None = None) -> None:
        """Add an event and wake the clients.

        Args:
            name: Its name.
            data: JSON values.
            replaces: Forget the earlier events of this name that hold these values.
        """
        with self._lock:
            if self._over:
                return
            if replaces is not None:
                self._events = [e for e in self._events if e.name != name or not replaces.items() <= e.data.items()]
            self._last += 1
            self._events.append(Event(self._last, name, data))
            self._over = name in FINAL
            followers = list(self._followers.items())
        for flag, loop in followers:
            loop.call_soon_threadsafe(flag.set)

    def since(self, last: int) -> list[Event]:
        """Return the events after the one with this id."""
        with self._lock:
            return [event for event in self._events if event.id > last]

    async def follow(self, last: int = 0, patience: float = 15.0) -> AsyncIterator[Event | None]:
        """Yield the events after the one with this id, to the final one; None where none came for a while."""
        flag = asyncio.Event()
        with self._lock:
            self._followers[flag] = asyncio.get_running_loop()
        try:
            while True:
                flag.clear()
                over = self._over
                for event in self.since(last):
                    last = event.id
                    yield event
                if over:
                    return
                try:
                    await asyncio.wait_for(flag.wait(), patience)
                except asyncio.TimeoutError:
                    yield None
        finally:
            with self._lock:
                self._followers.pop(flag, None)
