from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from semguide import Edit, Edits
from semguide.runs.request import Request, check_run, plan_run
from semguide.runs.run import from_json
from support.refusals import refuses


def test_defaults_are_filled_in_from_model_and_method(tiny: Path):
    run = plan_run(Request("a cat and a dog", str(tiny))).run
    assert (run.sampling.num_inference_steps, run.sampling.guidance_scale) == (50, 7.5)
    assert (run.sampling.height, run.seeds, run.device) == (64, (0, 1, 2, 3), "cpu")
    assert [method.name for method in run.methods] == ["sgt-balanced"]


def test_a_planned_run_passes_the_check_of_runs_that_are_read(tiny: Path):
    planned = plan_run(Request("a cat and a dog", str(tiny), compare=("cfg", "sgt-v1")))
    checked = check_run(from_json(planned.run.to_json()))
    assert replace(checked, warnings=()) == replace(planned, warnings=())
    assert [str(warning) for warning in checked.warnings] == [str(warning) for warning in planned.warnings]


def test_a_method_compared_with_itself_is_made_once(tiny: Path):
    run = plan_run(Request("a cat and a dog", str(tiny), compare=("cfg", "sgt-balanced", "cfg"))).run
    assert [method.name for method in run.methods] == ["cfg", "sgt-balanced"]


def test_a_relative_folder_is_recorded_by_its_absolute_path(tiny: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tiny.parent)
    assert plan_run(Request("a red book", tiny.name)).run.model == str(tiny)


def test_no_concepts_by_hand_or_in_the_prompt_means_plain_guidance(tiny: Path):
    planned = plan_run(Request("a red book", str(tiny), concepts=()))
    assert [method.name for method in planned.run.methods] == ["cfg"]
    assert len(planned.warnings) == 1
    assert plan_run(Request("!!!", str(tiny), method="cfg")).warnings == ()


def test_a_concept_alone_is_plain_guidance_once_for_the_methods_that_only_balance_concepts(tiny: Path):
    request = Request("a red book", str(tiny), compare=("cfg",), retries=2)
    planned = plan_run(request)
    assert planned.run == plan_run(replace(request, method="cfg", compare=(), retries=0)).run
    (told,) = map(str, planned.warnings)
    assert told.startswith("the only concept is 'a red book', and sgt-balanced balances concepts")
    beside = plan_run(replace(request, compare=("sgt-v1",)))
    assert [method.name for method in beside.run.methods] == list(beside.rules) == ["cfg", "sgt-v1"]
    assert beside.run.retries == 2
    budget = plan_run(replace(request, evaluations=20)).run
    assert [budget.alone(method).sampling.num_inference_steps for method in budget.methods] == [10]


def test_a_recorded_run_of_one_concept_is_repeated_with_its_methods(tiny: Path):
    run = plan_run(Request("a cat and a dog", str(tiny), compare=("cfg",))).run
    recorded = replace(run, concepts=run.concepts[:1])
    assert check_run(recorded).run == recorded


def test_a_method_that_uses_no_concepts_is_kept_where_there_are_none(tiny: Path):
    alone = plan_run(Request("a red book", str(tiny), method="apg", concepts=(), compare=("cfg",)))
    assert [method.name for method in alone.run.methods] == ["cfg", "apg"]
    assert alone.warnings == ()
    beside = plan_run(Request("a red book", str(tiny), method="apg", concepts=(), compare=("sgt-v1",)))
    assert [method.name for method in beside.run.methods] == list(beside.rules) == ["cfg", "apg"]
    assert len(beside.warnings) == 1


def test_a_prompt_has_no_more_concepts_than_asked_for_and_no_more_than_its_encoder_reads(tiny: Path):
    planned = plan_run(Request("a cat, a dog and a cow", str(tiny), max_concepts=2))
    assert [concept.text for concept in planned.run.concepts] == ["a cat", "a dog"]
    assert planned.run.max_concepts == 2
    assert "without 'a cow' (more than 2)" in str(planned.warnings[0])
    long = Request("a red book and a cat " + "very " * 80 + "and a dog", str(tiny), compare=("cfg",))
    planned = plan_run(long)
    assert [concept.text for concept in planned.run.concepts] == ["a red book", "a cat"]
    assert "without 'a dog' (beyond what the text encoder reads)" in str(planned.warnings[0])
    by_hand = plan_run(replace(long, concepts=("a cat", "a dog", "a cow"), max_concepts=2)).run
    assert (len(by_hand.concepts), by_hand.max_concepts) == (3, None)
    with refuses("max_concepts"):
        plan_run(replace(long, max_concepts=0))


@pytest.mark.parametrize(
    ("prompt", "why"),
    [("ein roter Hund auf dem Tisch", "English only"), ("beautiful, 8k", "no concepts found in this prompt")],
)
def test_why_a_prompt_has_no_concept_is_said(tiny: Path, prompt: str, why: str):
    (warning,) = plan_run(Request(prompt, str(tiny))).warnings
    assert why in str(warning)


def test_a_method_that_balances_concepts_says_so_where_there_is_one_only(tiny: Path):
    (warning,) = plan_run(Request("a red book", str(tiny), compare=("cfg", "sgt-v1"))).warnings
    assert "'a red book', and sgt-balanced balances" in str(warning)
    assert plan_run(Request("a red book and a vase", str(tiny))).warnings == ()
    assert plan_run(Request("a red book", str(tiny), method="sgt-v1")).warnings == ()


def test_perp_neg_wants_its_concepts_by_hand(tiny: Path):
    (warning,) = plan_run(Request("a red book and a vase", str(tiny), method="perp-neg")).warnings
    assert "perp-neg steers away" in str(warning)
    by_hand = Request("a red book and a vase", str(tiny), method="perp-neg", concepts=("a red vase",))
    assert plan_run(by_hand).warnings == ()


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"seeds": (-1,)}, "seed"),
        ({"prompt": " "}, "prompt"),
        ({"methods": ()}, "run.methods"),
        ({"device": "x"}, "device"),
    ],
)
def test_a_read_run_out_of_range_is_refused(tiny: Path, changes: dict[str, Any], named: str):
    run = plan_run(Request("a red book", str(tiny))).run
    with refuses(named):
        check_run(replace(run, **changes))


HAT, SNOW = Edit("a hat"), Edit("snow", "less")


def test_edits_are_part_of_the_run_and_of_its_check(tiny: Path):
    request = Request("a red book and a vase", str(tiny), edits=Edits((HAT, SNOW)))
    planned = plan_run(request)
    assert planned.run.edits == request.edits
    assert planned.warnings == ()
    cdg = replace(planned.run, methods=(replace(planned.run.methods[0], name="cdg", parameters={}),))
    for check in (lambda: plan_run(replace(request, compare=("cdg",))), lambda: check_run(cdg)):
        with refuses("edits", "beside the method cdg"):
            check()


def test_edits_count_in_a_budget(tiny: Path):
    plain = plan_run(Request("a red book", str(tiny), method="cfg", evaluations=60)).run
    edited = plan_run(Request("a red book", str(tiny), method="cfg", evaluations=60, edits=Edits((HAT,)))).run
    assert (plain.sampling.num_inference_steps, edited.sampling.num_inference_steps) == (30, 20)


def test_less_of_a_steered_concept_and_an_edit_without_a_step_are_told(tiny: Path):
    edits = Edits((Edit("A vase", "less"), Edit("a hat", start=0.99)))
    request = Request("a red book and a vase", str(tiny), num_inference_steps=20, edits=edits)
    steered, idle = map(str, plan_run(request).warnings)
    assert "'A vase' is one of the concepts" in steered
    assert "'a hat' acts at none of the 20 steps" in idle
    alone = [str(warning) for warning in plan_run(replace(request, concepts=())).warnings]
    assert "'a hat' acts at none" in alone[1]


def test_a_method_that_weakens_loras_is_refused_where_none_is_loaded(tiny: Path):
    with refuses("method", "where no LoRA is loaded", "personalization"):
        plan_run(Request("a red book", str(tiny), method="personalization"))
    at_1 = Request("a red book", str(tiny), method="personalization", settings={"personalization": {"omega": 1.0}})
    assert plan_run(at_1).warnings == ()
