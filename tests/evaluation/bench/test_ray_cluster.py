from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("ray")

from semguide.errors import SemguideError
from semguide.evaluation.bench.ray_cluster import _actor_count, _save


class Resources:
    def __init__(self, **there: float) -> None:
        self.there = there

    def cluster_resources(self) -> dict[str, float]:
        return self.there


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
