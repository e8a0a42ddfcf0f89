from pathlib import Path

import pytest

from semguide.adapters import ARCHITECTURES, steer
from semguide.guidance import METHODS, SGTv1
from semguide.models import STEERABLE, load
from semguide.runs.methods import build_rule, values_of
from support.refusals import refuses


def test_a_completed_method_has_every_parameter_and_builds_the_same_rule():
    rule = build_rule("sgt-v1", {"upper_bound": 0.5}, 6.0)
    assert rule == SGTv1(guidance_scale=6.0, upper_bound=0.5)
    assert values_of(rule)["subject_threshold"] == "auto"
    assert build_rule("sgt-v1", values_of(rule), 6.0) == rule


def test_unknown_names_are_refused_with_the_nearest():
    with refuses("method", "must be one of sgt") as caught:
        build_rule("sgt-1", {}, 7.5)
    assert caught.value.remedy == "did you mean 'sgt-v1'?"
    with refuses("settings", "must name a parameter of sgt-v1:") as caught:
        build_rule("sgt-v1", {"upperbound": 1}, 7.5)
    assert caught.value.remedy == "did you mean 'upper_bound'?"


@pytest.mark.parametrize(
    ("name", "key", "value", "kind"),
    [
        ("sgt", "strength", "lots", "a finite number"),
        ("sgt", "strength", True, "a finite number"),
        ("sgt", "strength", None, "a finite number"),
        ("sgt-v1", "subject_threshold", "manual", "a finite number between 0 and 1 (or 'auto'"),
        ("sgt-v2", "window", 2.5, "a whole number"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_naming_the_type(name: str, key: str, value: object, kind: str):
    with refuses(key, f"must be {kind}"):
        build_rule(name, {key: value}, 7.5)


@pytest.mark.parametrize("name", METHODS)
def test_the_stated_cost_is_what_an_image_takes(name: str, tiny: Path):
    rule = METHODS[name]()
    pipe = load(str(tiny), device="cpu")
    pipe.set_progress_bar_config(disable=True)
    result = steer(pipe, rule)("a red book", concepts=["a red book", "a vase"], num_inference_steps=8)
    assert result.evaluations == [rule.evaluations_per_image(8, 2)]


def test_what_the_command_line_loads_can_be_steered():
    assert set(STEERABLE) <= set(ARCHITECTURES)
