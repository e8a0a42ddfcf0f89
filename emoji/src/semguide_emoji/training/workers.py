"""Work done ahead in other processes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from semguide.processes import serve_parent


class Workers:
    """Computes a function of the batch index some batches ahead, in other processes.

    Args:
        count: Processes, >= 1.
        ahead: Batches in work beyond the one asked for; None: two for each process.
    """

    def __init__(self, count: int, ahead: int | None = None) -> None:
        self._ahead = 2 * count if ahead is None else ahead
        self._pool = ProcessPoolExecutor(count, get_context("spawn"), serve_parent)
        self._waiting: dict[int, Future[Any]] = {}

    def __call__(self, function: Callable[[int], Any], index: int) -> Any:
        """Return `function(index)`; it must be the same function each time, and picklable."""
        wanted = range(index, index + self._ahead + 1)
        for number in [number for number in self._waiting if number not in wanted]:
            self._waiting.pop(number).cancel()
        for number in wanted:
            if number not in self._waiting:
                self._waiting[number] = self._pool.submit(function, number)
        return self._waiting.pop(index).result()
