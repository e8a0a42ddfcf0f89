"""Methods by name: their rules, parameters and cost. Imports torch (the rules need it) when called, not before."""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING, Any

from semguide.errors import InvalidArgument
from semguide.runs.checks import check_known
from semguide.runs.run import Method

if TYPE_CHECKING:
    from semguide.guidance.parameters import Parameter

SHARED = "guidance_scale"
"""The one rule parameter that all methods of a run share and that has an option of its own."""


def method_names() -> list[str]:
    """List the methods, in the order of `semguide methods`."""
    from semguide.guidance import METHODS

    return list(METHODS)


def build_rule(method: Method, guidance_scale: float) -> Any:
    """Make the rule of a method.

    Raises:
        InvalidArgument: Unknown method or parameter, or a value the rule refuses.
    """
    from semguide.guidance import METHODS

    check_known("method (--method, --compare)", method.name, METHODS)
    return build(METHODS[method.name], method.parameters, guidance_scale)


def build(kind: Any, parameters: dict[str, Any], guidance_scale: float) -> Any:
    """Make a rule or a maker of a class.

    Raises:
        InvalidArgument: Unknown parameter, or a value that the class refuses.
    """
    known = {parameter.name: parameter for parameter in own_parameters(kind)}
    for key in parameters:
        if key == SHARED:
            raise InvalidArgument(f"{SHARED} cannot be given with --set; give it with --guidance-scale")
        check_known(f"parameter (--set) of {kind.name}", key, known or ["(it has none)"])
    return kind(guidance_scale=guidance_scale, **{key: known[key].read(value) for key, value in parameters.items()})


def own_parameters(kind: type) -> list[Parameter]:
    """List the parameters of a rule or maker that --set takes."""
    from semguide.guidance.parameters import parameters_of

    return [parameter for parameter in parameters_of(kind) if parameter.name != SHARED]


def values_of(method: Any) -> dict[str, Any]:
    """Return all parameters of a rule or maker but the guidance scale."""
    return {parameter.name: getattr(method, parameter.name) for parameter in own_parameters(type(method))}


def complete(name: str, given: dict[str, Any], guidance_scale: float) -> Method:
    """Return a method with all its parameters, the ones not given at their defaults.

    Raises:
        InvalidArgument: Unknown method or parameter, or a value the rule refuses.
    """
    rule = build_rule(Method(name, given), guidance_scale)
    return Method(name, values_of(rule))


def parse_settings(settings: list[str], method: str) -> dict[str, dict[str, Any]]:
    """Read `--set` options: KEY=VALUE for the main method, METHOD.KEY=VALUE for any method of the run.

    Args:
        settings: What was typed.
        method: The main method.

    Returns:
        Parameters by method name; values are JSON where they can be read as JSON, else text.
    """
    parsed: dict[str, dict[str, Any]] = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        name, dot, field = key.strip().rpartition(".")
        if not equals or not field:
            raise InvalidArgument(f"set (--set) must be KEY=VALUE or METHOD.KEY=VALUE, got {setting!r}")
        parsed.setdefault(name if dot else method, {})[field] = _value(value.strip())
    return parsed


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def evaluations(rule: Any, step: int, count: int, concepts: int, full_trace: bool = False) -> int:
    """Return the denoiser evaluations of one step for one image: 2 of classifier-free guidance, 1 for each concept."""
    return 2 + (concepts if full_trace or rule.evaluates(step, count, concepts) else 0)


EXAMPLE_STEPS, EXAMPLE_CONCEPTS = 25, 2
"""The run whose cost `describe_method` states."""


def describe_method(name: str) -> dict[str, Any]:
    """Describe a method as JSON values: summary, parameters, evaluations of an example run, citation."""
    from semguide.guidance import METHODS

    rule = METHODS[name]()
    return described(rule, rule.evaluations_per_image(EXAMPLE_STEPS, EXAMPLE_CONCEPTS))


def described(method: Any, per_image: int | None) -> dict[str, Any]:
    """Describe a rule or maker whose example run takes so many evaluations, None where that depends on the image."""
    return {
        "name": method.name,
        "summary": (inspect.getdoc(method) or "").partition("\n\n")[0].replace("\n", " "),
        "parameters": [_described(parameter) for parameter in own_parameters(type(method))],
        "evaluations": {"steps": EXAMPLE_STEPS, "concepts": EXAMPLE_CONCEPTS, "per_image": per_image},
        "citation": method.citation(),
    }


def _described(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "type": parameter.type,
        "default": parameter.default,
        "minimum": parameter.low,
        "maximum": parameter.high,
        "choices": list(parameter.choices) or None,
        "off": parameter.off,
        "values": parameter.values,
        "strength": parameter.strength,
        "meaning": parameter.help,
    }
