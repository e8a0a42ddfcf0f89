"""A rule from the few values of a user interface: method, guidance scale, strength, and the rest as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from semguide.errors import InvalidArgument
from semguide.guidance import CFG, METHODS, Rule, get_method
from semguide.guidance.checks import check_number

WEIGHTS: Final[Mapping[str, str]] = {
    "sgt": "strength",
    "sgt-v1": "concept_guidance_scale",
    "sgt-v2": "concept_guidance_scale",
    "composable": "concept_weight",
    "sega": "concept_guidance_scale",
    "perp-neg": "negative_weight",
    "co3-composition": "contrast",
}
"""The parameter of each method that says how much it corrects."""

HOSTED: Final = tuple(name for name in METHODS if name in WEIGHTS or name == CFG.name)
"""The methods that correct a host's own predictions; CDG needs one for another text, which only `steer` makes."""


def build_rule(method: str, cfg: float, strength: float = 1.0, settings: str = "") -> Rule[Any]:
    """Return the rule of a method.

    Args:
        method: Name of the method.
        cfg: Scale of classifier-free guidance, > 1 where the method corrects anything.
        strength: How much it corrects, >= 0, as a multiple of the method's default (0 is plain guidance).
        settings: Other parameters of the method as a JSON object, such as {"sharpness": 0.5}; they win over strength.

    Raises:
        InvalidArgument: A value breaks a rule.
    """
    kind = get_method(method)
    if method not in HOSTED:
        raise InvalidArgument("method", f"must be one of {', '.join(HOSTED)} here", method, "use semguide.steer for it")
    check_number("strength", strength, 0.0, note="0 is plain guidance")
    given = _parameters(kind, settings)
    if strength == 0 or kind is CFG:
        return CFG(guidance_scale=cfg)
    weight = WEIGHTS[method]
    rule = kind(guidance_scale=cfg, **{weight: strength * getattr(kind(), weight), **given})
    if not rule.is_noop and cfg <= 1:
        raise InvalidArgument(
            "cfg",
            f"must be > 1 for {method}, which needs the unconditional prediction (at 1 there is none)",
            cfg,
            "set {strength} to 0 for a run without guidance",
        )
    return rule


def _parameters(kind: type[Rule[Any]], settings: str) -> dict[str, Any]:
    """Read the settings; their values are the rule's to check."""
    try:
        given = json.loads(settings) if settings.strip() else {}
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise InvalidArgument("settings", 'must be a JSON object such as {"sharpness": 0.5}', settings)
    valid = [field.name for field in fields(kind) if field.name != "guidance_scale"]
    for name in given:
        if name not in valid:
            raise InvalidArgument("settings", f"must be of {kind.name}: {', '.join(valid) or '(it has none)'}", name)
    return given
