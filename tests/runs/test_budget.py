import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from semguide.files import read_json, write_json
from semguide.runs.budget import cost_of
from semguide.runs.generation import generate_images
from semguide.runs.png import pixel_hash
from semguide.runs.request import Plan, Request, check_run, plan_run
from semguide.runs.run import from_json
from support.refusals import refuses

TWO = "a red book and a yellow vase"
SIX = "a cat, a dog, a cow, a horse, a car and a tree"


def steps_of(planned: Plan) -> dict[str, int]:
    run = planned.run
    return {method.name: run.alone(method).sampling.num_inference_steps for method in run.methods}


def test_every_method_takes_as_many_steps_as_fit(tiny: Path):
    planned = plan_run(Request(TWO, str(tiny), compare=("cfg", "sgt-v1"), evaluations=50))
    steps = steps_of(planned)
    assert (steps["cfg"], steps["sgt-v1"]) == (25, 12)
    for name, rule in planned.rules.items():
        cost = cost_of(rule, planned.model, planned.run.loading)
        assert cost(steps[name], 2) <= 50 < cost(steps[name] + 1, 2)
    assert (planned.run.evaluations, planned.warnings) == (50, ())
    assert check_run(from_json(planned.run.to_json())).run == planned.run


def test_a_full_trace_changes_no_step_and_comes_on_top(tiny: Path):
    request = Request(TWO, str(tiny), compare=("cfg",), evaluations=50)
    assert steps_of(plan_run(replace(request, full_trace=True))) == steps_of(plan_run(request))


def test_plain_is_what_plain_guidance_takes_at_the_models_own_steps(tiny: Path):
    planned = plan_run(Request(TWO, str(tiny), compare=("cfg",), evaluations="plain"))
    assert (planned.run.evaluations, steps_of(planned)["cfg"]) == (100, 50)


def test_concepts_are_left_out_of_all_methods_before_one_has_too_few_steps(tiny: Path):
    planned = plan_run(Request(SIX, str(tiny), compare=("cfg", "sgt-v1"), evaluations=60))
    assert [concept.text for concept in planned.run.concepts] == ["a cat", "a dog", "a cow"]
    assert steps_of(planned)["sgt-v1"] == 12
    (told,) = (str(warning) for warning in planned.warnings if "sgt-v1" in str(warning))
    assert "without 'a horse', 'a car', 'a tree'" in told
    assert "at least 96" in told


def test_concepts_given_by_hand_are_left_out_too(tiny: Path):
    request = Request(SIX, str(tiny), method="sgt-v1", concepts=("a tree", "a dog", "a cow"), evaluations=48)
    planned = plan_run(request)
    assert [concept.text for concept in planned.run.concepts] == ["a tree", "a dog"]


@pytest.mark.parametrize("evaluations", [0, -1, True, 2.5, "all"])
def test_what_is_no_budget_is_refused(tiny: Path, evaluations: object):
    with refuses("evaluations"):
        plan_run(Request(TWO, str(tiny), evaluations=evaluations))  # type: ignore[arg-type]


def test_steps_and_a_budget_do_not_stand_beside_each_other(tiny: Path):
    with refuses("evaluations", "must not stand beside"):
        plan_run(Request(TWO, str(tiny), evaluations=50, num_inference_steps=10))
    with refuses("evaluations", "at least 4"):
        plan_run(Request(TWO, str(tiny), method="cfg", evaluations=3))


def test_a_scheduler_that_has_the_denoiser_called_more_often_is_known_from_its_file(tiny: Path, tmp_path: Path):
    scratch = tmp_path / "heun"
    shutil.copytree(tiny, scratch)
    file = scratch / "model_index.json"
    write_json(file, {**read_json(file), "scheduler": ["diffusers", "HeunDiscreteScheduler"]})
    assert steps_of(plan_run(Request(TWO, str(scratch), method="cfg", evaluations=50))) == {"cfg": 13}


def test_what_the_images_really_cost_is_within_the_budget(tiny: Path):
    from semguide.models import load

    planned = plan_run(Request(TWO, str(tiny), compare=("cfg",), evaluations=13, num_images=1))
    pipe = load(str(tiny), "cpu")
    pipe.set_progress_bar_config(disable=True)
    made = {image.method.name: image for image in generate_images(planned.run, planned.rules, pipe)}
    assert made["cfg"].evaluations == 12
    assert 9 <= made["sgt-balanced"].evaluations <= 13
    alone = plan_run(Request(TWO, str(tiny), method="cfg", num_inference_steps=6, num_images=1))
    (same,) = generate_images(alone.run, alone.rules, pipe)
    assert pixel_hash(*same.frames) == pixel_hash(*made["cfg"].frames)
