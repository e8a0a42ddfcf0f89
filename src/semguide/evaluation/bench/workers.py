"""Makes the images of a benchmark, in this process or in several, each row written as soon as its image is finished."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from semguide.errors import SemguideError
from semguide.evaluation.bench.cluster import on_cluster
from semguide.evaluation.bench.files import Row, RowWriter
from semguide.evaluation.bench.plan import Bench, BenchTask
from semguide.processes import serve_parent

OnRow = Callable[[Row], None]
ROWS = "rows"


@dataclass(frozen=True)
class Work:
    """How a benchmark is made.

    Attributes:
        bench: The benchmark.
        out: Its folder.
        device: torch device.
        label: How the names of the row files begin.
        processes: How many images are made at the same time, >= 1.
        ray: Address of a Ray cluster that makes them, "" for this machine's own processes.
        prepare: Called first in every process (to quieten libraries); must be a function of a module.
    """

    bench: Bench
    out: Path
    device: str
    label: str
    processes: int = 1
    ray: str = ""
    prepare: Callable[[], None] | None = None


def work_off(work: Work, jobs: Sequence[BenchTask], on_row: OnRow) -> None:
    """Make jobs; on Ctrl-C the images in flight are finished in processes, given up in this one.

    Args:
        work: How.
        jobs: Which images.
        on_row: Told every row that is on the disk, in the order in which they are finished.

    Raises:
        MissingExtra: A Ray cluster is to be used, and Ray is not installed.
        SemguideError: A process was killed, or the cluster cannot be used.
    """
    if not jobs:
        return
    if work.ray:
        on_cluster(work, work.out / ROWS, jobs, on_row)
    elif work.processes == 1:
        _here(work, jobs, on_row)
    else:
        _in_processes(work, jobs, on_row)


def _here(work: Work, jobs: Sequence[BenchTask], on_row: OnRow) -> None:
    maker = _Worker(work)
    try:
        for job in jobs:
            on_row(maker.make(job))
    finally:
        maker.rows.close()


def _in_processes(work: Work, jobs: Sequence[BenchTask], on_row: OnRow) -> None:
    import torch

    count = min(work.processes, len(jobs))
    threads = max(1, torch.get_num_threads() // count)
    pool = ProcessPoolExecutor(count, get_context("spawn"), _start, (work, threads))
    try:
        with _interrupts_ignored():  # by the processes that the first jobs start, too: they inherit it
            futures: list[Future[Row]] = [pool.submit(_make, job) for job in jobs]
        for future in as_completed(futures):
            on_row(future.result())
    except BrokenProcessPool as error:
        raise SemguideError(
            "a process that made images was killed, often for want of memory; the finished images are kept: "
            "run the same command again, with a smaller --jobs"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _interrupts_ignored() -> Generator[None, None, None]:
    """Ignore Ctrl-C for a moment; only the main thread can."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class _Worker:
    """What one process makes images with."""

    def __init__(self, work: Work) -> None:
        from semguide.evaluation.bench.make import Maker

        if work.prepare is not None:
            work.prepare()
        self._maker = Maker(work.bench, work.out, work.device)
        self.rows = RowWriter(work.out / ROWS, work.label)

    def make(self, job: BenchTask) -> Row:
        row = self._maker.make(job)
        self.rows.write(row)
        return row


_workers: list[_Worker] = []
"""The worker of a process of `_in_processes`; the pool hands jobs over without it."""


def _start(work: Work, threads: int) -> None:
    import torch

    serve_parent()
    torch.set_num_threads(threads)
    _workers.append(_Worker(work))


def _make(job: BenchTask) -> Row:
    return _workers[0].make(job)
