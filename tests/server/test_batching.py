from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from semguide import Edit, Edits
from semguide.models import VIDEOS
from semguide.runs.request import Plan
from semguide.runs.run import Method, Run, Sampling
from semguide.server.batching import next_batch, queue_position
from semguide.server.jobs import Job, Status

RUN = Run(
    prompt="a cat",
    negative_prompt="",
    concepts=(),
    methods=(Method("sgt", {"strength": 1.0}),),
    seeds=(0, 1),
    sampling=Sampling(2, 5.0, 64, 64),
    model="tiny",
    device="cpu",
)


def job(**changes: Any) -> Job:
    model: Any = SimpleNamespace(video=changes.pop("video", None))
    return Job(Plan(replace(RUN, **changes), model, {}), "tiny")


def chosen(jobs: list[Job], most: int) -> list[tuple[int, int]]:
    return [(jobs.index(task.job), task.index) for task in next_batch(jobs, most)]


def test_images_come_in_order_one_by_one():
    assert chosen([job(), job()], 1) == [(0, 0)]
    assert chosen([], 1) == []


def test_images_of_the_same_shape_come_together_over_jobs():
    assert chosen([job(), job(prompt="a dog"), job()], 5) == [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0)]


@pytest.mark.parametrize(
    "other",
    [
        {"sampling": Sampling(3, 5.0, 64, 64)},
        {"sampling": Sampling(2, 6.0, 64, 64)},
        {"sampling": Sampling(2, 5.0, 64, 128)},
        {"model": "other"},
        {"full_trace": True},
        {"negative_prompt": "blurry"},
        {"edits": Edits((Edit("a hat"),))},
        {"methods": (Method("cfg", {}),)},
        {"methods": (Method("sgt", {"strength": 0.5}),)},
    ],
)
def test_images_of_another_shape_wait_for_their_turn(other: dict[str, Any]):
    assert chosen([job(seeds=(0,)), job(**other), job(seeds=(3,))], 4) == [(0, 0), (2, 0)]


def test_images_with_the_steps_of_a_budget_come_together_with_those_of_as_many_steps():
    fitted = (Method("sgt", {"strength": 1.0}, num_inference_steps=3), Method("cfg", {}))
    longer = job(seeds=(3,), sampling=Sampling(3, 5.0, 64, 64))
    assert chosen([job(seeds=(0,), methods=fitted, evaluations=9), longer], 4) == [(0, 0), (1, 0)]


def test_an_image_that_may_be_tried_again_has_a_call_of_its_own():
    assert chosen([job(retries=1), job(retries=1)], 4) == [(0, 0)]
    assert chosen([job(seeds=(0,)), job(retries=1), job(seeds=(3,))], 4) == [(0, 0), (2, 0)]


def test_a_video_has_a_call_of_its_own():
    assert chosen([job(video=VIDEOS["WanPipeline"]), job(video=VIDEOS["WanPipeline"])], 4) == [(0, 0)]


def test_what_is_begun_or_cancelled_is_not_chosen():
    jobs = [job(), job(), job()]
    jobs[0].images[0].status = Status.running
    jobs[1].stop_requested = True
    assert chosen(jobs, 4) == [(0, 1), (2, 0), (2, 1)]


def test_the_position_counts_the_jobs_that_wait_before():
    jobs = [job(), job(), job()]
    jobs[0].set_status(Status.running)
    assert [queue_position(jobs, item) for item in jobs] == [0, 0, 1]
