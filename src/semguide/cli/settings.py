"""`--set`: method parameters as they are typed."""

from __future__ import annotations

from typing import Any

from semguide.errors import InvalidArgument
from semguide.files import parse_json


def parse_settings(settings: list[str] | None, method: str | None) -> dict[str, dict[str, Any]]:
    """Read `--set` options: KEY=VALUE for the main method, METHOD.KEY=VALUE for any method of the run.

    Args:
        settings: What was typed.
        method: The main method; None where every setting must name its method.

    Returns:
        Parameters by method name; values are JSON where they can be read as JSON, else text.

    Raises:
        InvalidArgument: A setting has another form.
    """
    parsed: dict[str, dict[str, Any]] = {}
    for setting in settings or []:
        key, equals, value = setting.partition("=")
        name, dot, field = key.strip().rpartition(".")
        named = name if dot else method
        if not equals or not field or not named:
            forms = "METHOD.KEY=VALUE" if method is None else "KEY=VALUE or METHOD.KEY=VALUE"
            raise InvalidArgument("settings", f"must be {forms}", setting, "name the parameter and its value")
        parsed.setdefault(named, {})[field] = _value(value.strip())
    return parsed


def _value(text: str) -> Any:
    try:
        return parse_json(text)
    except ValueError:
        return text
