"""Methods by name: their rules, parameters and cost. Imports torch (the rules need it) when called, not before."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from semguide.errors import InvalidArgument
from semguide.runs.checks import check_known

if TYPE_CHECKING:
    from semguide.guidance import Rule
    from semguide.guidance.parameters import Parameter

DEFAULT_METHOD = "sgt-balanced"
"""The method used when none is named."""
SHARED = "guidance_scale"
"""The one rule parameter that all methods of a run share and that has an option of its own."""


def method_names() -> list[str]:
    """List the methods, in the order of `semguide methods`."""
    from semguide.guidance import METHODS

    return list(METHODS)


def known_methods() -> list[str]:
    """List all names that a method may be given: their own, then their aliases."""
    from semguide.guidance import METHODS

    return METHODS.names


def build_rule(name: str, parameters: Mapping[str, Any], guidance_scale: float) -> Rule[Any]:
    """Build the rule of a method.

    Raises:
        InvalidArgument: Unknown method or parameter, or a value the rule refuses.
    """
    from semguide.guidance import METHODS

    check_known("method", name, METHODS.names)
    return build(METHODS[name], parameters, guidance_scale)


def build(kind: Any, parameters: Mapping[str, Any], guidance_scale: float) -> Any:
    """Build a rule or a sampling method.

    Raises:
        InvalidArgument: Unknown parameter, or a value that the class refuses.
    """
    known = {parameter.name: parameter for parameter in own_parameters(kind)}
    for key in parameters:
        if key == SHARED:
            raise InvalidArgument("settings", f"must not hold {SHARED}", remedy="give {guidance_scale} itself")
        check_known("settings", key, known or ["(it has none)"], f"must name a parameter of {kind.name}:")
    return kind(guidance_scale=guidance_scale, **{key: known[key].read(value) for key, value in parameters.items()})


def own_parameters(kind: type) -> list[Parameter]:
    """List the parameters of a rule or sampling method that a run may set."""
    from semguide.guidance.parameters import parameters_of

    return [parameter for parameter in parameters_of(kind) if parameter.name != SHARED]


def values_of(method: Any) -> dict[str, Any]:
    """Return all parameters of a rule or sampling method but the guidance scale.

    `uncond_every` is among them where it is not 1: runs and benchmarks from before it go on.
    """
    values = {parameter.name: getattr(method, parameter.name) for parameter in own_parameters(type(method))}
    return {name: value for name, value in values.items() if (name, value) != ("uncond_every", 1)}


EXAMPLE_STEPS, EXAMPLE_CONCEPTS = 25, 2
"""The run whose cost `describe_method` states."""


def describe_method(name: str) -> dict[str, Any]:
    """Describe a method as JSON values: summary, parameters, evaluations of an example run, citation."""
    from semguide.guidance import METHODS

    rule = METHODS[name]()
    fewest = rule.min_concepts if rule.uses_concepts else 0
    return described(rule, rule.evaluations_per_image(EXAMPLE_STEPS, EXAMPLE_CONCEPTS)) | {"min_concepts": fewest}


def described(method: Any, per_image: int | None) -> dict[str, Any]:
    """Describe a rule or sampling method as JSON values.

    Args:
        method: The rule or sampling method.
        per_image: Denoiser evaluations of the example run; None if they depend on the image.
    """
    return {
        "name": method.name,
        "aliases": list(getattr(method, "aliases", ())),
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
