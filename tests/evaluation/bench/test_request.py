from dataclasses import replace
from pathlib import Path

import pytest

from semguide.evaluation.bench.request import (
    BenchRequest,
    check_bench,
    find_judge,
    parse_shard,
    plan_bench,
    suite_prompts,
)
from semguide_emoji import ASSETS
from support.plugins import Install
from support.refusals import refuses

REQUEST = BenchRequest("emoji-ae", "cfg,sgt")


@pytest.mark.parametrize(("text", "shard"), [("1/1", (1, 1)), ("2/16", (2, 16))])
def test_a_shard_is_two_numbers(text: str, shard: tuple[int, int]):
    assert parse_shard(text) == shard


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "1/2/3", "-1/2", "a/b", "1/0", "", "1/2 "])
def test_other_shards_are_refused(text: str):
    with refuses("shard", "must be I/N"):
        parse_shard(text)


@pytest.mark.parametrize(
    "change",
    [
        {"seeds": 0},
        {"seeds": 10_001},
        {"limit": 0},
        {"split": "train"},
        {"num_inference_steps": 0},
        {"guidance_scale": 0.5},
    ],
)
def test_numbers_out_of_range_are_refused(change: dict):
    (name,) = change
    with refuses(name, "must be", change[name]):
        check_bench(replace(REQUEST, **change), 1)


def test_no_process_is_refused():
    with refuses("jobs", "must be from 1"):
        check_bench(REQUEST, 0)


def test_an_unknown_suite_is_refused_with_the_nearest_name():
    with refuses("suite", "must be the path of a prompt file or one of") as caught:
        suite_prompts("emoji-genval", "test")
    assert caught.value.remedy == "did you mean 'emoji-geneval'?"


def test_a_folder_of_prompts_is_a_suite(tmp_path: Path):
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "diffdb1.txt").write_text("a cat and a dog")
    (prompt,) = suite_prompts(str(tmp_path / "prompts"), "all")
    assert (prompt.text, prompt.ids) == ("a cat and a dog", ("diffdb1",))


def test_a_split_without_a_prompt_is_refused(tmp_path: Path):
    (tmp_path / "one.txt").write_text("a cat\n")
    splits = {prompt.split for prompt in suite_prompts(str(tmp_path / "one.txt"), "all")}
    (other,) = {"validation", "test"} - splits
    with refuses("split", "must be one that the suite has prompts of", other):
        suite_prompts(str(tmp_path / "one.txt"), other)


def test_a_missing_judge_is_refused_and_none_is_allowed(tmp_path: Path, installed: Install):
    installed("semguide.judges")
    with refuses("judge", "must be given"):
        find_judge(None)
    with refuses("judge", "must be a folder with config.json"):
        find_judge(str(tmp_path))
    assert find_judge("none") is None


def test_the_embedded_judge_is_the_default():
    assert find_judge(None) == ASSETS / "emoji-judge"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"methods": "cfg,sgtt"}, "methods"),
        ({"methods": "cfg,cfg"}, "methods"),
        ({"methods": "cfg,perp-neg"}, "methods"),
        ({"methods": ""}, "methods"),
        ({"settings": {"sega": {"strength": 1}}}, "settings"),
        ({"settings": {"sgt": {"strenght": 1}}}, "settings"),
        ({"settings": {"sgt": {"strength": -1}}}, "strength"),
        ({"model": "emoji-umet"}, "model"),
        ({"device": "tpu"}, "device"),
    ],
)
def test_unknown_names_and_bad_parameters_are_refused(tiny: Path, change: dict, named: str):
    with refuses(named):
        plan_bench(replace(BenchRequest("emoji-ae", "cfg,sgt", model=str(tiny), judge="none"), **change))


def test_a_plan_holds_every_parameter_and_the_model_of_what_was_asked(tiny: Path):
    request = BenchRequest(
        "emoji-complex", "cfg, sgt", str(tiny), seeds=3, limit=5, settings={"sgt": {"strength": 2}}, judge="none"
    )
    planned = plan_bench(request)
    bench = planned.bench
    assert [method.name for method in bench.methods] == ["cfg", "sgt"]
    assert bench.methods[1].parameters["strength"] == 2.0
    assert {"sharpness", "start", "stop"} <= set(bench.methods[1].parameters)
    assert (len(bench.prompts), bench.seeds, bench.height, planned.warnings) == (5, (0, 1, 2), 64, ())
    assert bench.identity["judge"] is None
    assert {"checkpoint", "versions", "dtype", "device"} <= set(bench.identity)


def test_within_a_budget_every_method_has_its_own_steps(tiny: Path):
    request = BenchRequest("emoji-ae", "cfg,sgt-v1", str(tiny), limit=5, judge="none", evaluations=96)
    bench = plan_bench(request).bench
    assert [bench.steps_of(method) for method in bench.methods] == [48, 24]
    assert bench.evaluations == 96
    plain = plan_bench(replace(request, evaluations="plain", methods="cfg")).bench
    assert (plain.evaluations, plain.steps_of(plain.methods[0])) == (100, 50)


def test_the_mean_of_prompts_with_more_and_fewer_concepts_is_within_the_budget(tiny: Path, tmp_path: Path):
    (tmp_path / "prompts.csv").write_text('prompt\na cat and a dog\n"a bird, a bear and a bus"\n')
    request = BenchRequest(
        str(tmp_path / "prompts.csv"), "sgt-v1", str(tiny), split="all", judge="none", evaluations=90
    )
    bench = plan_bench(request).bench
    assert bench.steps_of(bench.methods[0]) == 20  # of 4 and 5 evaluations


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"evaluations": 3, "methods": "cfg,sgt-v1"}, "evaluations"),
        ({"methods": "cfg,retry", "evaluations": 50}, "methods"),
    ],
)
def test_a_budget_that_no_step_fits_into_or_that_cannot_be_counted_is_refused(tiny: Path, change: dict, named: str):
    with refuses(named):
        plan_bench(replace(BenchRequest("emoji-ae", "cfg", str(tiny), judge="none"), **change))
    with refuses("evaluations", "must not stand beside"):
        check_bench(BenchRequest("emoji-ae", "cfg", evaluations=50, num_inference_steps=5), 1)


@pytest.mark.parametrize(
    ("name", "settings", "told"),
    [
        ("sgt-v1", {}, "must be sgt-balanced or cfg"),
        ("retry", {"retry": {"rule": "sgt-v2"}}, "must be sgt-balanced or cfg"),
        ("attend-excite", {}, "must work without guidance"),
    ],
)
def test_without_guidance_what_needs_it_is_refused(tiny: Path, name: str, settings: dict, told: str):
    request = BenchRequest("emoji-ae", f"cfg,{name}", str(tiny), guidance_scale=1.0, settings=settings, judge="none")
    with refuses("methods", told, name):
        plan_bench(request)


def test_without_guidance_a_budget_counts_the_prompts_evaluation_alone(tiny: Path):
    request = BenchRequest("emoji-ae", "cfg,sgt,best-of-clip", str(tiny), limit=5, judge="none", guidance_scale=1.0)
    bench = plan_bench(replace(request, evaluations=16)).bench
    assert [bench.steps_of(method) for method in bench.methods] == [16, 8, 8]
    assert plan_bench(replace(request, methods="cfg,retry")).bench.guidance_scale == 1.0


def test_judging_a_foreign_model_with_the_embedded_judge_is_warned_of(tiny: Path):
    (warning,) = plan_bench(BenchRequest("emoji-ae", "cfg", str(tiny))).warnings
    assert "judge none" in str(warning)
