"""Methods by name: their rules, parameters and cost. Imports torch (the rules need it) when called, not before."""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
from typing import Any, get_args, get_type_hints

from semguide.errors import InvalidArgument
from semguide.runs.checks import check_known
from semguide.runs.run import Method

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
    kinds, valid = get_type_hints(kind), parameter_names(kind)
    converted = {key: _converted(kind.name, key, value, valid, kinds) for key, value in parameters.items()}
    return kind(guidance_scale=guidance_scale, **converted)


def _converted(method: str, key: str, value: Any, valid: list[str], kinds: dict[str, Any]) -> Any:
    """Return a parameter value in the type that the rule declares; its range is the rule's to check."""
    if key == SHARED:
        raise InvalidArgument(f"{SHARED} cannot be given with --set; give it with --guidance-scale")
    if key not in valid:
        check_known(f"parameter (--set) of {method}", key, valid or ["(it has none)"])
    allowed = get_args(kinds[key]) or (kinds[key],)
    if float in allowed and type(value) in {int, float}:
        return float(value)
    words = [word for kind in allowed for word in get_args(kind)]  # of Literal["auto"]
    if type(value) in allowed or value in words:
        return value
    names = " or ".join(_KINDS.get(kind, "") or " or ".join(map(repr, get_args(kind))) for kind in allowed)
    raise InvalidArgument(f"{key} must be {names}, got {value!r}; give it as --set {key}=VALUE")


_KINDS = {float: "a number", int: "a whole number", bool: "true or false", str: "a text"}


def parameter_names(method: Any) -> list[str]:
    """List the parameters of a rule or maker, class or instance, that --set takes."""
    return [field.name for field in dataclasses.fields(method) if field.name != SHARED]


def parameters_of(method: Any) -> dict[str, Any]:
    """Return all parameters of a rule or maker but the guidance scale."""
    return {key: getattr(method, key) for key in parameter_names(method)}


def complete(name: str, given: dict[str, Any], guidance_scale: float) -> Method:
    """Return a method with all its parameters, the ones not given at their defaults.

    Raises:
        InvalidArgument: Unknown method or parameter, or a value the rule refuses.
    """
    rule = build_rule(Method(name, given), guidance_scale)
    return Method(name, parameters_of(rule))


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
    meanings = _meanings(method)
    return {
        "name": method.name,
        "summary": (inspect.getdoc(method) or "").partition("\n\n")[0].replace("\n", " "),
        "parameters": [
            {"name": key, "default": value, "meaning": meanings.get(key, "")}
            for key, value in parameters_of(method).items()
        ],
        "evaluations": {"steps": EXAMPLE_STEPS, "concepts": EXAMPLE_CONCEPTS, "per_image": per_image},
        "citation": method.citation(),
    }


def _meanings(rule: Any) -> dict[str, str]:
    """Read what each parameter means, with its range, from the Attributes or Args section of a rule's docstring."""
    found: dict[str, str] = {}
    current = ""
    for line in (inspect.getdoc(rule) or "").splitlines():
        if entry := re.fullmatch(r"    (\w+)(?: \([^)]*\))?: (.*)", line):
            current = entry[1]
            found[current] = entry[2]
        elif current and line.startswith("        "):
            found[current] += f" {line.strip()}"
        else:
            current = ""
    return found
