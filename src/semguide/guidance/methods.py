"""The rules by their name on the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from semguide.errors import InvalidArgument
from semguide.guidance.rule import Rule
from semguide.guidance.rules import CDG, CFG, SEGA, SGT, CO3Composition, Composable, PerpNeg, SGTv1, SGTv2

METHODS: Mapping[str, type[Rule[Any]]] = {
    rule.name: rule for rule in (SGT, SGTv1, SGTv2, CFG, Composable, SEGA, PerpNeg, CO3Composition, CDG)
}


def get_method(name: str) -> type[Rule[Any]]:
    """Return the rule class of a method name.

    >>> get_method("sgt-v1").__name__
    'SGTv1'

    Raises:
        InvalidArgument: There is none; the message lists the names.
    """
    if name not in METHODS:
        raise InvalidArgument("method", f"must be one of {', '.join(METHODS)}", name)
    return METHODS[name]
