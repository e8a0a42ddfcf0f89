from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from semguide.errors import SemguideError
from semguide.evaluation.bench.ray_cluster import _actor_count, _run_all, _save


class Resources:
    def __init__(self, **there: float) -> None:
        self.there = there

    def cluster_resources(self) -> dict[str, float]:
        return self.there


class Died(Exception):
    """An actor has."""


class FakeRay:
    """Actors that make a row of each task, and die over the first tasks of the names in `deadly`."""

    def __init__(self, deadly: dict[str, int]) -> None:
        self.deadly = deadly
        self.started = 0

    def start(self) -> Any:
        """Start an actor."""
        self.started += 1
        ready = SimpleNamespace(remote=lambda: ("ready", self.started))
        return SimpleNamespace(__ray_ready__=ready, run=SimpleNamespace(remote=lambda task: ("task", task)))

    def wait(self, futures: list[Any], num_returns: int) -> tuple[list[Any], list[Any]]:
        return futures[:num_returns], futures[num_returns:]

    def get(self, future: tuple[str, Any]) -> Any:
        kind, task = future
        if kind == "task" and self.deadly.get(task, 0) > 0:
            self.deadly[task] -= 1
            raise Died
        return {"id": task}, None

    def made(self, count: int, tasks: list[Any]) -> list[str]:
        """Return the ids of the rows that so many actors make of tasks."""
        return sorted(row["id"] for row, _ in _run_all(self, self.start, count, tasks, Died))


ASKED: Any = SimpleNamespace(ray="auto", processes=4)


@pytest.mark.parametrize(("there", "jobs", "actors"), [(16.0, 100, 4), (2.5, 100, 2), (16.0, 3, 3)])
def test_no_more_actors_are_started_than_have_room_and_work(there: float, jobs: int, actors: int):
    assert _actor_count(Resources(CPU=there), ASKED, jobs, "CPU") == actors


def test_a_cluster_without_a_gpu_is_refused_for_a_gpu():
    with pytest.raises(SemguideError, match="must have a GPU to make images on"):
        _actor_count(Resources(CPU=8.0), ASKED, 10, "GPU")


def test_a_picture_that_came_with_a_row_is_written_where_the_row_says(tmp_path: Path):
    _save(tmp_path, {"image": "images/ab/cd.png"}, b"png")
    _save(tmp_path, {"image": None}, None)
    assert [file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()] == [b"png"]


@pytest.mark.parametrize("deadly", [{}, {"a": 1}, {"b": 2, "e": 2}])
def test_every_task_is_made_once_whichever_actors_die(deadly: dict[str, int]):
    ray, deaths = FakeRay(dict(deadly)), sum(deadly.values())
    assert ray.made(2, ["a", "b", "c", "d", "e"]) == ["a", "b", "c", "d", "e"]
    assert ray.started == 2 + deaths


def test_actors_that_keep_dying_are_not_followed_for_ever():
    ray = FakeRay({"a": 100})
    with pytest.raises(Died):
        ray.made(2, ["a", "b"])
    assert ray.started == 2 + 4
