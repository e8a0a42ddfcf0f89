"""Checks of rule parameters: each error names the parameter, the rule, the value received and the remedy."""

from __future__ import annotations

import math
from typing import Any, cast

from semguide.errors import InvalidArgument


def check_number(name: str, value: float, low: float, high: float = math.inf, *, note: str = "") -> None:
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
    given = cast(Any, value)
    number = isinstance(given, int | float) and not isinstance(given, bool)
    if not number or not math.isfinite(given) or not low <= given <= high:
        bounds = f">= {low:g}" if high == math.inf else f"between {low:g} and {high:g}"
        raise InvalidArgument(name, f"must be a finite number {bounds}{f' ({note})' if note else ''}", given)


def check_steps(name: str, value: int, low: int = 0) -> None:
    """Check that a parameter is a whole number of steps, `low` or more.

    Raises:
        InvalidArgument: It is not.
    """
    given = cast(Any, value)
    if not isinstance(given, int) or isinstance(given, bool) or given < low:
        raise InvalidArgument(name, f"must be a whole number of steps >= {low}", given)


def check_window(start: float, stop: float) -> None:
    """Check the window of corrected steps, both ends as fractions of the steps.

    Raises:
        InvalidArgument: One is outside [0, 1], or the window ends before it starts.
    """
    check_number("start", start, 0.0, 1.0, note="a fraction of the steps")
    check_number("stop", stop, 0.0, 1.0, note="a fraction of the steps")
    if stop < start:
        raise InvalidArgument("stop", f"must be >= start, here {start:g}", stop, "equal ones turn the rule off")


def check_guidance_scale(value: float) -> None:
    """Check a classifier-free guidance scale.

    Raises:
        InvalidArgument: It is not a finite number >= 1.
    """
    check_number("guidance_scale", value, 1.0, note="1.0 turns guidance off")
