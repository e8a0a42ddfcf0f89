"""Runs the tasks of a benchmark in this process or several; each row is written as soon as its task is done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context

from semguide.errors import SemguideError
from semguide.evaluation.bench.plan import BenchTask, Execution
from semguide.evaluation.bench.ray_cluster import run_on_ray
from semguide.evaluation.rows import Row, RowWriter
from semguide.processes import serve_parent

OnRow = Callable[[Row], None]
ROWS = "rows"


def run_tasks(execution: Execution, tasks: Sequence[BenchTask], on_row: OnRow) -> None:
    """Run tasks; on Ctrl-C, processes finish their present image.

    Args:
        execution: Where to run them.
        tasks: The tasks.
        on_row: Called with each row once it is on disk, in order of completion.

    Raises:
        MissingExtra: Ray is requested but not installed.
        SemguideError: A process was killed, or the cluster failed.
    """
    if not tasks:
        return
    if execution.ray:
        run_on_ray(execution, execution.out / ROWS, tasks, on_row)
    elif execution.processes == 1:
        _in_this_process(execution, tasks, on_row)
    else:
        _in_processes(execution, tasks, on_row)


def _in_this_process(execution: Execution, tasks: Sequence[BenchTask], on_row: OnRow) -> None:
    worker = _Worker(execution)
    try:
        for task in tasks:
            on_row(worker.run(task))
    finally:
        worker.rows.close()


def _in_processes(execution: Execution, tasks: Sequence[BenchTask], on_row: OnRow) -> None:
    import torch

    count = min(execution.processes, len(tasks))
    threads = max(1, torch.get_num_threads() // count)
    pool = ProcessPoolExecutor(count, get_context("spawn"), _start, (execution, threads))
    try:
        with _interrupts_ignored():  # by the processes that the first tasks start, too: they inherit it
            futures: list[Future[Row]] = [pool.submit(_run, task) for task in tasks]
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
    """Task runner and row file of one process."""

    def __init__(self, execution: Execution) -> None:
        from semguide.evaluation.bench.generation import TaskRunner

        if execution.prepare is not None:
            execution.prepare()
        self._runner = TaskRunner(execution.bench, execution.out, execution.device)
        self.rows = RowWriter(execution.out / ROWS, execution.label)

    def run(self, task: BenchTask) -> Row:
        row = self._runner.run(task)
        self.rows.write(row)
        return row


_workers: list[_Worker] = []
"""The worker of a process of `_in_processes`; the pool hands tasks over without it."""


def _start(execution: Execution, threads: int) -> None:
    import torch

    serve_parent()
    torch.set_num_threads(threads)
    _workers.append(_Worker(execution))


def _run(task: BenchTask) -> Row:
    return _workers[0].run(task)
