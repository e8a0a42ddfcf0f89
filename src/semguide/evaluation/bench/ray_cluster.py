"""Runs the tasks of a benchmark on a Ray cluster; rows and images come back to this process, which writes them."""

from __future__ import annotations

import os
import tempfile
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from semguide.errors import MissingExtra, SemguideError
from semguide.evaluation.bench.plan import BenchTask, Execution
from semguide.evaluation.rows import Row, RowWriter
from semguide.files import atomic

LOCAL = "local"
"""Address that starts a cluster on this machine, for as long as the command runs."""
_RETRIES = 2
"""Actors that may die for each that was started."""


def run_on_ray(execution: Execution, rows: Path, tasks: Sequence[BenchTask], on_row: Callable[[Row], None]) -> None:
    """Run tasks in actors of a Ray cluster; a task whose actor dies is repeated by another one.

    Every node needs semguide, and model, judge and scorers at the same paths as this machine.

    Args:
        execution: Where to run them; `ray` is the address.
        rows: Folder of the row files.
        tasks: The tasks.
        on_row: Called with each row once it is on disk, in order of completion.

    Raises:
        MissingExtra: Ray is not installed.
        SemguideError: There is no cluster at the address, it has no room, or it lost an actor too often.
    """
    with _connected(execution) as ray:
        errors = import_module("ray.exceptions")
        gpus = int(execution.device.startswith("cuda"))
        remote = replace(execution, device="cuda") if gpus else execution  # an actor sees the one GPU that it was given
        worker: Any = ray.remote(num_cpus=1, num_gpus=gpus)(_RemoteWorker)
        count = _actor_count(ray, execution, len(tasks), "GPU" if gpus else "CPU")
        made = _run_all(ray, lambda: worker.remote(remote), count, tasks, errors.RayActorError)
        writer = RowWriter(rows, execution.label)
        try:
            for row, png in made:
                _save(execution.out, row, png)
                writer.write(row)
                on_row(row)
        except errors.RayError as error:
            raise SemguideError(
                f"the Ray cluster at {execution.ray} failed ({type(error).__name__}); the finished images are kept: "
                "run the same command again"
            ) from error
        finally:
            writer.close()


def _run_all(
    ray: Any, start: Callable[[], Any], count: int, tasks: Sequence[BenchTask], died: type[Exception]
) -> Generator[tuple[Row, bytes | None], None, None]:
    """Yield what the actors make of the tasks, in order of completion.

    An actor that has died is followed by another, which joins once a node has room for it; so a cluster that has lost a
    node goes on with those that are left.

    Args:
        ray: The module.
        start: Starts an actor.
        count: How many to start.
        tasks: The tasks.
        died: What is raised for a task whose actor has died; passed on once two have died for each that was started.
    """
    waiting, spare = deque(tasks), _RETRIES * count
    running: dict[Any, tuple[Any, BenchTask | None]] = {}  # by what will be there; no task: the actor is starting

    def begin() -> None:
        actor = start()
        running[actor.__ray_ready__.remote()] = actor, None

    for _ in range(count):
        begin()
    while waiting or any(task is not None for _, task in running.values()):
        done = ray.wait(list(running), num_returns=1)[0][0]
        actor, task = running.pop(done)
        try:
            made = ray.get(done)
        except died:
            if spare == 0:
                raise
            spare -= 1
            if task is not None:
                waiting.append(task)
            begin()
            continue
        if waiting:
            following = waiting.popleft()
            running[actor.run.remote(following)] = actor, following
        if task is not None:
            yield made


@contextmanager
def _connected(execution: Execution) -> Generator[Any, None, None]:
    try:
        ray: Any = import_module("ray")  # the types of an extra that may be missing
    except ImportError as error:
        raise MissingExtra("a run on Ray", "ray") from error
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    started = {"num_cpus": execution.processes, "include_dashboard": False} if execution.ray == LOCAL else {}
    try:
        ray.init(address=execution.ray, log_to_driver=False, logging_level="error", **started)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise SemguideError(
            f"ray must be the address of a running cluster or {LOCAL!r}, but {execution.ray!r} cannot be "
            f"reached ({error}); start one with: ray start --head"
        ) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _actor_count(ray: Any, execution: Execution, tasks: int, resource: str) -> int:
    """Return how many actors to start: at most as many as the cluster can run at once."""
    there = int(ray.cluster_resources().get(resource, 0))
    if there < 1:
        raise SemguideError(
            f"the Ray cluster at {execution.ray} must have a {resource} to make images on, but has none"
        )
    return min(execution.processes, tasks, there)


def _save(out: Path, row: Row, png: bytes | None) -> None:
    """Write the PNG file of a row, before the row is written."""
    if png is None:
        return
    path = out / row["image"]
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic(path) as temporary:
        temporary.write_bytes(png)


class _RemoteWorker:
    """The actor: a task runner in a process of the cluster."""

    def __init__(self, execution: Execution) -> None:
        import torch

        from semguide.evaluation.bench.generation import TaskRunner

        torch.set_num_threads(1)
        if execution.prepare is not None:
            execution.prepare()
        self._folder = tempfile.TemporaryDirectory(prefix="semguide-")
        self._runner = TaskRunner(execution.bench, Path(self._folder.name), execution.device)

    def run(self, task: BenchTask) -> tuple[Row, bytes | None]:
        """Run a task; returns its row, and its PNG file if images are kept."""
        row = self._runner.run(task)
        if row["image"] is None:
            return row, None
        file = Path(self._folder.name) / row["image"]
        png = file.read_bytes()
        file.unlink()
        return row, png
