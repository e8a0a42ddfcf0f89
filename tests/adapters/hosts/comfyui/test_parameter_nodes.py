"""The nodes with a widget for each parameter of a method."""

from __future__ import annotations

import json
from typing import Any, Literal

import pytest

from semguide import SGT, SGTv1, SGTv2
from semguide.adapters.hosts.comfyui import NODE_CLASS_MAPPINGS, NODE_DISPLAY_NAME_MAPPINGS
from semguide.adapters.hosts.comfyui.parameter_nodes import _widget, parameter_nodes
from semguide.adapters.hosts.rules import build_rule, hosted
from semguide.guidance import METHODS
from semguide.guidance.parameters import Parameter, parameters_of
from support.refusals import refuses

NODES = {node.METHOD: node for node in parameter_nodes().values()}


def defaults(node: Any) -> dict[str, Any]:
    return {name: options["default"] for name, (_, options) in node.INPUT_TYPES()["required"].items()}


def test_every_method_with_parameters_beside_its_strength_has_a_node() -> None:
    assert list(NODES) == ["sgt-balanced", "sgt-v1", "sgt-v2", "composable", "sega", "co3-composition"]
    assert set(parameter_nodes()) <= set(NODE_CLASS_MAPPINGS)
    assert NODE_DISPLAY_NAME_MAPPINGS["SemguideParametersSgtV2"] == "Semantic Guidance Parameters (sgt-v2)"


@pytest.mark.parametrize("method", [name for name in hosted() if name == METHODS[name].name])
def test_every_parameter_is_a_widget_of_one_node_or_of_the_guider(method: str) -> None:
    shown = list(NODES[method].INPUT_TYPES()["required"]) if method in NODES else []
    named = [each.name for each in parameters_of(METHODS[method]) if not each.strength]
    assert ["guidance_scale", *shown, "uncond_every"] == named  # the host predicts e(0) at every step


@pytest.mark.parametrize("method", NODES)
def test_untouched_widgets_are_the_methods_own_rule(method: str) -> None:
    (settings,) = NODES[method]().write(**defaults(NODES[method]))
    assert build_rule(method, 7.5, 1.0, settings) == METHODS[method]()
    assert NODES[method].VALIDATE_INPUTS(**defaults(NODES[method])) is True


@pytest.mark.parametrize("method", NODES)
def test_a_widget_takes_the_numbers_that_its_parameter_takes(method: str) -> None:
    for name, (kind, options) in NODES[method].INPUT_TYPES()["required"].items():
        parameter = next(each for each in parameters_of(METHODS[method]) if each.name == name)
        assert parameter.help in options["tooltip"]
        if kind in ("FLOAT", "INT"):
            assert options["min"] <= options["default"] <= options["max"]
            assert NODES[method].VALIDATE_INPUTS(**{name: options["min"] - 1}) is not True
            assert parameter.high is None or parameter.high == options["max"]


def test_what_the_widgets_say_reaches_the_rule() -> None:
    node = NODES["sgt-v2"]
    (settings,) = node().write(**{**defaults(node), "warmup_steps": 0, "subject_threshold": 0.25})
    assert build_rule("sgt-v2", 5.0, 1.0, settings) == SGTv2(5.0, warmup_steps=0, subject_threshold=0.25)


def test_a_number_or_a_word_is_written() -> None:
    node = NODES["sgt-v1"]
    assert node.INPUT_TYPES()["required"]["subject_threshold"][0] == "STRING"
    (settings,) = node().write(**{**defaults(node), "subject_threshold": "0.25"})
    assert build_rule("sgt-v1", 7.5, 1.0, settings) == SGTv1(subject_threshold=0.25)
    for wrong in ("much", "7", "nan"):
        assert "subject_threshold must be" in str(node.VALIDATE_INPUTS(subject_threshold=wrong))


@pytest.mark.parametrize(
    ("parameter", "widget"),
    [
        (Parameter("on", "boolean", True), "BOOLEAN"),
        (Parameter("name", "string", ""), "STRING"),
        (Parameter("kind", "string", "a", choices=("a", "b")), ["a", "b"]),
        (Parameter("count", "integer", 3), "INT"),
        (Parameter("scale", "number", 3.0), "FLOAT"),
    ],
)
def test_parameters_of_every_type_have_a_widget(
    parameter: Parameter, widget: Literal["BOOLEAN", "STRING", "INT", "FLOAT"] | list[str]
) -> None:
    kind, options = _widget(parameter)
    assert kind == widget
    assert options["default"] == parameter.default


def test_widgets_that_do_not_go_together_are_told_before_comfyui_begins() -> None:
    assert "stop" in str(NODES["sgt-balanced"].VALIDATE_INPUTS(start=0.8, stop=0.2))
    assert NODES["sgt-balanced"].VALIDATE_INPUTS(start=0.8, stop=None) is not True, "stop is 0.4 by default"
    assert NODES["sgt-balanced"].VALIDATE_INPUTS(start=None, stop=None) is True


def test_parameters_of_another_method_are_refused() -> None:
    (settings,) = NODES["sgt-v2"]().write(**defaults(NODES["sgt-v2"]))
    with refuses("settings", "must be those of sgt-v1"):
        build_rule("sgt-v1", 7.5, 1.0, settings)
    with refuses("settings", "must be those of sgt"):
        build_rule("sgt", 7.5, 1.0, json.dumps({"method": ["sgt"]}))
    (settings,) = NODES["sgt-balanced"]().write(**defaults(NODES["sgt-balanced"]))
    assert build_rule("sgt", 7.5, 1.0, settings) == SGT(), "an alias is the same method"
