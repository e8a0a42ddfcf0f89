from pathlib import Path

import pytest

from semguide.adapters import ARCHITECTURES, steer
from semguide.guidance import METHODS, SGTv1
from semguide.models import STEERABLE, load
from semguide.runs.methods import build_rule, describe_method, method_names, values_of
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


@pytest.mark.parametrize("name", [name for name in METHODS if METHODS[name]().null_adapters == 1.0])  # no LoRA here
def test_the_stated_cost_is_what_an_image_takes(name: str, tiny: Path):
    rule = METHODS[name]()
    pipe = load(str(tiny), device="cpu")
    pipe.set_progress_bar_config(disable=True)
    result = steer(pipe, rule)("a red book", concepts=["a red book", "a vase"], num_inference_steps=8)
    assert result.evaluations == [rule.evaluations_per_image(8, 2)]


def test_what_the_command_line_loads_can_be_steered():
    assert set(STEERABLE) <= set(ARCHITECTURES)


NUMBERS = [
    (name, parameter)
    for name in method_names()
    for parameter in describe_method(name)["parameters"]
    if parameter["type"] != "string"
]


BESIDE = {"concept_weight": {"prompt_weight": 1.0}, "start": {"stop": 1.0}, "stop": {"start": 0.0}}
"""What another parameter must be for the bound to be allowed."""


@pytest.mark.parametrize(("name", "parameter"), NUMBERS, ids=[f"{name}.{p['name']}" for name, p in NUMBERS])
def test_the_range_of_a_parameter_is_the_one_that_its_rule_checks(name: str, parameter: dict):
    kind = {"number": float, "integer": int}[parameter["type"]]
    low, high = parameter["minimum"], parameter["maximum"]
    assert low is not None
    for bound, beyond in ((low, low - 1), (high, None if high is None else high + 1)):
        if bound is not None and beyond is not None:
            build_rule(name, {**BESIDE.get(parameter["name"], {}), parameter["name"]: kind(bound)}, 5.0)
            with refuses(parameter["name"]):
                build_rule(name, {parameter["name"]: kind(beyond)}, 5.0)
