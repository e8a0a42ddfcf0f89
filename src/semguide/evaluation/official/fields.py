"""Fields of the entries of a prompt file, checked."""

from __future__ import annotations

import re
from typing import Any, cast

from semguide.concepts import decompose
from semguide.errors import shown
from semguide.evaluation.suites import Question, SuitePrompt

_NUMBER = re.compile(r"[\W\d_]+$")


def object_of(value: Any, name: str) -> dict[str, Any]:
    """Return a JSON object.

    Raises:
        ValueError: It is none.
    """
    if not isinstance(value, dict):
        raise ValueError(f"{name} must have objects, got {shown(value)}")
    return cast(dict[str, Any], value)


def field_of(entry: dict[str, Any], name: str, kind: type) -> Any:
    """Return a field of a JSON object.

    Raises:
        ValueError: It is missing, or of another kind.
    """
    value = entry.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"{name} must be a {kind.__name__}, got {'nothing' if value is None else shown(value)}")
    return value


def decomposed(
    text: str, category: str, ids: tuple[str, ...] = (), questions: tuple[Question, ...] = ()
) -> SuitePrompt:
    """Return a prompt whose concepts are its noun phrases."""
    prompt = text.strip()
    return SuitePrompt(prompt, category, tuple(decompose(prompt)), ids=ids, questions=questions)


def source_of(identifier: str, otherwise: str) -> str:
    """Return an id without the number at its end: "drawbench" of "drawbench_52".

    Args:
        identifier: The id.
        otherwise: For an id that is a number.
    """
    return _NUMBER.sub("", identifier) or otherwise
