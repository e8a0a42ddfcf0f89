from dataclasses import replace

import pytest

from semguide.evaluation.bench.plan import Bench, BenchMethod, BenchTask, tasks_by_id
from semguide.evaluation.suites import suite


@pytest.fixture
def bench() -> Bench:
    return Bench(
        suite="emoji-ae",
        prompts=tuple(suite("emoji-ae")[:3]),
        methods=(BenchMethod("cfg", {}), BenchMethod("sgt", {"strength": 1.0})),
        seeds=(0, 1),
        model="toy",
        model_path="/models/toy",
        judge_path="/models/judge",
        num_inference_steps=2,
        guidance_scale=7.5,
        height=64,
        width=64,
        identity={"checkpoint": "sha256:1", "judge": "sha256:2"},
    )


def test_every_method_prompt_and_seed_is_one_job_and_pairs_come_together(bench: Bench):
    jobs = bench.tasks()
    assert len(set(jobs)) == len(jobs) == 12
    assert jobs[:3] == [BenchTask(0, 0, 0), BenchTask(0, 1, 0), BenchTask(1, 0, 0)]


def test_ids_differ_between_images(bench: Bench):
    assert len(tasks_by_id(bench, bench.tasks())) == 12


@pytest.mark.parametrize(
    "change",
    [
        {"num_inference_steps": 3},
        {"guidance_scale": 7.6},
        {"height": 128},
        {"full_trace": True},
        {"identity": {"checkpoint": "sha256:9", "judge": "sha256:2"}},
        {"methods": (BenchMethod("cfg", {"x": 1}), BenchMethod("sgt", {"strength": 2.0}))},
        {"methods": (BenchMethod("cfg", {}, {"file": 1}), BenchMethod("sgt", {"strength": 1.0}, {"file": 1}))},
    ],
)
def test_what_decides_an_image_changes_its_id(bench: Bench, change: dict):
    other = replace(bench, **change)
    assert not set(tasks_by_id(bench, bench.tasks())) & set(tasks_by_id(other, other.tasks()))


def test_an_image_within_a_budget_is_that_of_as_many_steps(bench: Bench):
    methods = (replace(bench.methods[0], num_inference_steps=4), bench.methods[1])
    fitted, longer = replace(bench, methods=methods, evaluations=8), replace(bench, num_inference_steps=4)
    for task in bench.tasks():
        assert fitted.image_id(task) == (bench if task.method else longer).image_id(task)
    assert "num_inference_steps" not in fitted.shared_settings()
    assert fitted.shared_settings()["evaluations"] == 8


@pytest.mark.parametrize(
    "change",
    [
        {"suite": "mine"},
        {"model": "other-name-of-toy", "model_path": "/elsewhere"},
        {"judge_path": "", "identity": {"checkpoint": "sha256:1", "judge": None}},
        {"keep_images": True},
    ],
)
def test_what_decides_no_image_leaves_its_id(bench: Bench, change: dict):
    other = replace(bench, **change)
    assert tasks_by_id(bench, bench.tasks()).keys() == tasks_by_id(other, other.tasks()).keys()


@pytest.mark.parametrize("count", [1, 2, 3, 4, 9])
def test_shards_hold_every_job_once_and_keep_methods_of_a_prompt_and_seed_together(bench: Bench, count: int):
    shards = [bench.shard(index, count) for index in range(1, count + 1)]
    together = [job for shard in shards for job in shard]
    assert sorted(together, key=bench.tasks().index) == bench.tasks()
    for shard in shards:
        places = {(job.prompt, job.seed) for job in shard}
        assert len(shard) == len(places) * len(bench.methods)


def test_the_hash_of_parameters_does_not_depend_on_their_order():
    one, other = BenchMethod("sgt", {"a": 1, "b": 2}), BenchMethod("sgt", {"b": 2, "a": 1})
    assert one.parameters_hash == other.parameters_hash != BenchMethod("sgt", {"a": 1, "b": 3}).parameters_hash


def test_a_method_s_own_guidance_scale_counts_before_that_of_the_bench(bench: Bench):
    assert bench.scale_of(BenchMethod("cfg", {})) == 7.5
    assert bench.scale_of(BenchMethod("cfg", {"guidance_scale": 10.0})) == 10.0
