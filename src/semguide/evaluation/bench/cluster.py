"""Makes the images of a benchmark on a Ray cluster; rows and pictures come back to this process, which writes them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semguide.errors import MissingExtra, SemguideError
from semguide.evaluation.bench.files import Row, RowWriter
from semguide.evaluation.bench.plan import BenchTask
from semguide.files import atomic

if TYPE_CHECKING:
    from semguide.evaluation.bench.workers import Work

LOCAL = "local"
"""Address that starts a cluster on this machine, for as long as the command runs."""
_RETRIES = 2


def on_cluster(work: Work, rows: Path, jobs: Sequence[BenchTask], on_row: Callable[[Row], None]) -> None:
    """Make jobs in actors of a Ray cluster; a job whose actor dies is made again by another one, twice at most.

    Every node needs semguide, and model, judge and scorers at the same paths as here.

    Args:
        work: How; `work.ray` is the address.
        rows: The folder of the row files.
        jobs: Which images.
        on_row: Told every row that is on the disk, in the order in which they are finished.

    Raises:
        MissingExtra: Ray is not installed.
        SemguideError: There is no cluster at the address, it has no room, or it lost an actor too often.
    """
    with _connected(work) as ray:
        failure: type[Exception] = import_module("ray.exceptions").RayError
        gpus = int(work.device.startswith("cuda"))
        options = {"num_cpus": 1, "num_gpus": gpus, "max_restarts": _RETRIES, "max_task_retries": _RETRIES}
        actor: Any = ray.remote(**options)(_Remote)
        remote = replace(work, device="cuda") if gpus else work  # an actor sees the one GPU that it was given
        pool: Any = import_module("ray.util").ActorPool(
            [actor.remote(remote) for _ in range(_room(ray, work, len(jobs), "GPU" if gpus else "CPU"))]
        )
        writer = RowWriter(rows, work.label)
        try:
            for row, picture in pool.map_unordered(_asked, list(jobs)):
                _keep(work.out, row, picture)
                writer.write(row)
                on_row(row)
        except failure as error:
            raise SemguideError(
                f"the Ray cluster at {work.ray} failed ({type(error).__name__}); the finished images are kept: run the "
                "same command again"
            ) from error
        finally:
            writer.close()


def _asked(one: Any, job: BenchTask) -> Any:
    """Ask an actor for an image."""
    return one.make.remote(job)


@contextmanager
def _connected(work: Work) -> Generator[Any, None, None]:
    try:
        ray: Any = import_module("ray")  # the types of an extra that may be missing
    except ImportError as error:
        raise MissingExtra("ray (--ray)", "ray") from error
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    started = {"num_cpus": work.processes, "include_dashboard": False} if work.ray == LOCAL else {}
    try:
        ray.init(address=work.ray, log_to_driver=False, logging_level="error", **started)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise SemguideError(
            f"ray (--ray) must be the address of a running cluster or {LOCAL!r}, but {work.ray!r} cannot be reached "
            f"({error}); start one with: ray start --head"
        ) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _room(ray: Any, work: Work, jobs: int, resource: str) -> int:
    """Return how many actors to start: no more than the cluster has room for, as jobs would wait for the others."""
    there = int(ray.cluster_resources().get(resource, 0))
    if there < 1:
        raise SemguideError(f"the Ray cluster at {work.ray} must have a {resource} to make images on, but has none")
    return min(work.processes, jobs, there)


def _keep(out: Path, row: Row, picture: bytes | None) -> None:
    """Write a picture that came with a row, before the row says that it is there."""
    if picture is None:
        return
    path = out / row["image"]
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic(path) as temporary:
        temporary.write_bytes(picture)


class _Remote:
    """An actor: what one process of the cluster makes images with."""

    def __init__(self, work: Work) -> None:
        import torch

        from semguide.evaluation.bench.make import Maker

        torch.set_num_threads(1)
        if work.prepare is not None:
            work.prepare()
        self._folder = tempfile.TemporaryDirectory(prefix="semguide-")
        self._maker = Maker(work.bench, Path(self._folder.name), work.device)

    def make(self, job: BenchTask) -> tuple[Row, bytes | None]:
        """Make an image; returns its row, and the PNG where pictures are kept."""
        row = self._maker.make(job)
        if row["image"] is None:
            return row, None
        file = Path(self._folder.name) / row["image"]
        picture = file.read_bytes()
        file.unlink()
        return row, picture
