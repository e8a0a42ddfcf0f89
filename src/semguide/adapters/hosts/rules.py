"""A rule from the few values of a user interface: method, guidance scale, strength, and the rest as JSON."""

from __future__ import annotations

import math
from typing import Any

from semguide.errors import InvalidArgument
from semguide.files import parse_json
from semguide.guidance import CFG, METHODS, Rule, get_method
from semguide.guidance.checks import check_number
from semguide.guidance.parameters import Parameter, parameters_of


def hosted() -> list[str]:
    """List the methods that correct a host's own predictions, their aliases last.

    CDG and its like are not among them: they need a prediction for another text, which only `steer` makes. Nor are
    rules without concepts, such as `APG`, for which the hosts have nodes of their own.
    """
    return [name for name in METHODS.names if METHODS[name].uses_concepts and not METHODS[name]().null_tokens]


def host_parameters(method: str) -> list[Parameter]:
    """Return a method's parameters without those of what the host itself does: its scale, and when it predicts."""
    return [each for each in parameters_of(get_method(method)) if each.name not in ("guidance_scale", "uncond_every")]


def settings_help() -> str:
    """Say which parameters each method has besides its strength, one method a line."""
    lines = ['More parameters of the method as JSON, such as {"sharpness": 0.5}.']
    for name in hosted():
        others = [each for each in host_parameters(name) if not each.strength]
        if others and name == METHODS[name].name:
            lines.append(f"{name}: {', '.join(f'{each.name} ({each.values})' for each in others)}")
    return "\n".join(lines)


def build_rule(method: str, cfg: float, strength: float = 1.0, settings: str = "") -> Rule[Any]:
    """Return the rule of a method.

    Args:
        method: Name of the method.
        cfg: Scale of classifier-free guidance; at 1, for checkpoints of a few steps, there is none, which is only for
            methods that do without.
        strength: How much it corrects, >= 0, as a multiple of the method's default (0 is plain guidance).
        settings: Other parameters of the method as a JSON object, such as {"sharpness": 0.5}; they win over strength.
            A "method" among them is the one that they were written for.

    Raises:
        InvalidArgument: A value breaks a rule.
    """
    kind = get_method(method)
    if method not in (names := hosted()):
        raise InvalidArgument("method", f"must be one of {', '.join(names)} here", method, "use semguide.steer for it")
    check_number("strength", strength, 0.0, _most(kind), note="0 is plain guidance")
    given = _parameters(method, settings)
    if strength == 0 or kind is CFG:
        return CFG(guidance_scale=cfg)
    rule = kind(guidance_scale=cfg, **{**_weight(kind, strength), **given})
    if not rule.is_noop and rule.needs_uncond and cfg <= 1:
        raise InvalidArgument(
            "cfg",
            f"must be > 1 for {method}, which needs the unconditional prediction (at 1 there is none)",
            cfg,
            "take sgt-balanced for a run without guidance",
        )
    return rule


def _most(kind: type[Rule[Any]]) -> float:
    """Return the largest multiple of a method's default correction that the method takes."""
    found = _strength(kind)
    return math.inf if found is None or found.high is None else found.high / found.default


def _strength(kind: type[Rule[Any]]) -> Parameter | None:
    return next((each for each in parameters_of(kind) if each.strength), None)


def _weight(kind: type[Rule[Any]], strength: float) -> dict[str, float]:
    """Return the parameter that says how much a rule corrects, as a multiple of its default."""
    found = _strength(kind)
    if found is None and strength != 1:
        remedy = "give its own parameters as {settings}"
        raise InvalidArgument("strength", f"must be 0 or 1 for {kind.name}, which has none", strength, remedy)
    return {} if found is None else {found.name: strength * found.default}


def _parameters(method: str, settings: str) -> dict[str, Any]:
    """Read the settings; their values are the rule's to check."""
    try:
        given = parse_json(settings) if settings.strip() else {}
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise InvalidArgument("settings", 'must be a JSON object such as {"sharpness": 0.5}', settings)
    written_for = given.pop("method", method)
    if not isinstance(written_for, str) or METHODS.get(written_for) is not METHODS[method]:
        raise InvalidArgument("settings", f"must be those of {method}", written_for, "choose that {method}")
    valid = [each.name for each in host_parameters(method)]
    for name in given:
        if name not in valid:
            rule = f"must name a parameter of {method}: {', '.join(valid) or '(it has none)'}"
            raise InvalidArgument("settings", rule, name)
    return given


def __getattr__(name: str) -> Any:
    """Return HOSTED, which the extensions of version 0.1.0 import."""
    if name == "HOSTED":
        return tuple(hosted())
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
