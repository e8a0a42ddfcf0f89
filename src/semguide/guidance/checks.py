"""Checks of rule parameters: each error names the parameter, the rule, the value received and the remedy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from semguide.errors import InvalidArgument


def plain(value: Any) -> Any:
    """Return a scalar of NumPy or torch as the number of Python that it is, anything else as it was."""
    scalar = getattr(value, "ndim", None) == 0 and callable(getattr(value, "item", None))
    return value.item() if scalar else value


def check_number(name: str, value: Any, low: float, high: float = math.inf, *, note: str = "") -> None:
    """Check that a parameter is a finite number in [low, high].

    Args:
        name: The parameter.
        value: What was received.
        low: Least value, included.
        high: Greatest value, included.
        note: What to know about the range, such as the value that turns the feature off.

    Raises:
        InvalidArgument: It is not.
    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not low <= value <= high:
        raise InvalidArgument(name, f"must be a finite number {_bounds(low, high, note)}", value)


def check_whole(name: str, value: Any, low: float = 0, high: float = math.inf, *, note: str = "") -> None:
    """Check that a parameter is a whole number in [low, high].

    Args:
        name: The parameter.
        value: What was received.
        low: Least value, included.
        high: Greatest value, included.
        note: What to know about the range.

    Raises:
        InvalidArgument: It is not.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise InvalidArgument(name, f"must be a whole number {_bounds(low, high, note)}", value)


def check_choice(name: str, value: object, kind: type, choices: Sequence[str] = ()) -> None:
    """Check that a parameter is of a kind other than numbers and, where there are choices, one of them.

    Raises:
        InvalidArgument: It is not.
    """
    if not isinstance(value, kind) or (choices and value not in choices):
        rule = f"one of {', '.join(choices)}" if choices else "true or false" if kind is bool else "a text"
        raise InvalidArgument(name, f"must be {rule}", value)


def check_window(start: float, stop: float) -> None:
    """Check that a window of corrected steps does not end before it starts.

    Raises:
        InvalidArgument: It does.
    """
    if stop < start:
        raise InvalidArgument("stop", f"must be >= start, here {start:g}", stop, "equal ones turn the rule off")


def _bounds(low: float, high: float, note: str) -> str:
    bounds = f">= {low:g}" if high == math.inf else f"between {low:g} and {high:g}"
    return f"{bounds} ({note})" if note else bounds
