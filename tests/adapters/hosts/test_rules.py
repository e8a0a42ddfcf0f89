"""Rules from the values of a user interface."""

from __future__ import annotations

import pytest

from semguide import CFG, SGT, SGTv1
from semguide.adapters.hosts.rules import build_rule, hosted, settings_help
from semguide.guidance import METHODS
from semguide.guidance.parameters import parameters_of
from support.refusals import refuses

HOSTED = hosted()


def test_hosts_have_every_method_that_needs_no_other_text() -> None:
    assert set(HOSTED) >= set(METHODS) - {"cdg", "apg", "cfg-zero-star", "personalization"}
    assert "cdg" not in HOSTED


@pytest.mark.parametrize("method", [name for name in HOSTED if name != "cfg"])
def test_strength_is_a_multiple_of_the_methods_default(method: str) -> None:
    default = METHODS[method]()
    (weight,) = [each.name for each in parameters_of(METHODS[method]) if each.strength]
    assert build_rule(method, default.guidance_scale) == default
    assert getattr(build_rule(method, 7.5, 2.0), weight) == 2 * getattr(default, weight)


@pytest.mark.parametrize("method", HOSTED)
def test_strength_zero_is_plain_guidance(method: str) -> None:
    assert build_rule(method, 5.0, 0.0) == CFG(5.0)


def test_settings_set_the_other_parameters_and_win_over_strength() -> None:
    assert build_rule("sgt", 6.0, 0.5, '{"sharpness": 0.5}') == SGT(6.0, strength=0.5 * SGT().strength, sharpness=0.5)
    assert build_rule("sgt", 6.0, 0.5, '{"strength": 3.0}') == SGT(6.0, strength=3.0)
    assert build_rule("sgt-v1", 6.0, settings='{"subject_threshold": "auto"}') == SGTv1(6.0)


@pytest.mark.parametrize(
    ("arguments", "named", "rule"),
    [
        (("sgd", 7.5), "method", "must be one of sgt"),
        (("cdg", 7.5), "method", "must be one of sgt"),
        (("sgt-v1", 1.0), "cfg", "must be > 1 for sgt-v1"),
        (("sgt", 7.5, -1.0), "strength", "must be a finite number between 0 and 50"),
        (("sgt-v1", 7.5, 99.0), "strength", "must be a finite number between 0 and 13.3333"),
        (("sgt", 7.5, 1.0, "threshold: 0.4"), "settings", "must be a JSON object"),
        (("sgt", 7.5, 1.0, "[0.4]"), "settings", "must be a JSON object"),
        (("sgt", 7.5, 1.0, '{"treshold": 0.4}'), "settings", "must name a parameter of sgt: strength, sharpness"),
        (("sgt", 7.5, 1.0, '{"sharpness": -4}'), "sharpness", "must be a finite number between 0 and 100"),
        (("cfg", 7.5, 1.0, '{"threshold": 4}'), "settings", "must name a parameter of cfg: (it has none)"),
    ],
)
def test_refusals_name_the_input(arguments: tuple[str, float, float, str], named: str, rule: str) -> None:
    with refuses(named, rule):
        build_rule(*arguments)


def test_a_run_without_guidance_is_allowed_where_nothing_is_corrected() -> None:
    assert build_rule("sgt", 1.0, 0.0) == CFG(1.0)


def test_the_help_of_the_settings_names_every_parameter_with_what_it_takes() -> None:
    text = settings_help()
    assert "sgt-balanced: sharpness (0 to 100, 0: off), start (0 to 1)" in text
    assert "subject_threshold (0 to 1 or auto)" in text
    assert "strength (" not in text
