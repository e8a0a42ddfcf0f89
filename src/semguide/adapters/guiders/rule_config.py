"""A rule as JSON: its name and its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from semguide.errors import InvalidArgument
from semguide.guidance import BalancedSGT, Rule, get_method

RuleLike = Rule[Any] | str | Mapping[str, Any] | None


def rule_of(given: RuleLike) -> Rule[Any]:
    """Return the rule that a rule, a method name or what `config_of` returned stands for; None: `BalancedSGT()`.

    >>> rule_of({"name": "sgt-balanced", "strength": 0.5}).strength
    0.5

    Raises:
        InvalidArgument: It stands for none, or its parameters are wrong.
    """
    found = BalancedSGT() if given is None else given if isinstance(given, Rule) else _built(given)
    if found.uncond_every > 1:
        rule = "must be 1 under a guider, whose pipeline evaluates e(0) at every step"
        raise InvalidArgument("uncond_every", rule, found.uncond_every, "use semguide.steer for it")
    return found


def _built(given: Any) -> Rule[Any]:
    if isinstance(given, str):
        return get_method(given)()
    if not isinstance(given, Mapping) or "name" not in given:
        raise InvalidArgument(
            "rule", 'must be a rule such as BalancedSGT(), a name or {"name": "sgt-balanced", ...}', given
        )
    parameters = {name: value for name, value in given.items() if name != "name"}
    try:
        return get_method(given["name"])(**parameters)
    except TypeError as error:
        raise InvalidArgument("rule", f"must have the parameters of {given['name']}", parameters) from error


def config_of(rule: Rule[Any]) -> dict[str, Any]:
    """Return the name and the parameters of a rule, in JSON's types.

    >>> config_of(rule_of("cfg"))
    {'name': 'cfg', 'guidance_scale': 7.5, 'uncond_every': 1}
    """
    return {"name": rule.name, **asdict(rule)}
