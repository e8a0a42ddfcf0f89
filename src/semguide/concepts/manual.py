"""The manual override: concepts named by the caller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from semguide.concepts.lexicon.describe import describe
from semguide.concepts.spans import clean, locate, locate_marked
from semguide.errors import InvalidArgument
from semguide.types import Concept

_REMEDY = 'give a list such as ["a red book", "a yellow vase"]'


def as_concepts(items: Sequence[str | Concept], prompt: str | None) -> list[Concept]:
    """Turns texts into concepts, filling span, head, attributes and count where they can be.

    The caller's choice stands: the order is kept, nothing is merged or filtered, and a text need not be in the prompt
    (its span is then None). A text given twice takes the next occurrence in the prompt, if there is one.

    Args:
        items: Texts or concepts; an empty sequence asks for no concept guidance.
        prompt: The prompt to find the texts in, ignoring case; None leaves every span None.

    Returns:
        One concept per item. A found text is written as in the prompt, so that `prompt[start:end] == text` but for
        weights. The span of a concept that has one in this prompt stands.

    Raises:
        InvalidArgument: `items` is no sequence of texts or concepts, or a text is blank.
    """
    if isinstance(cast(Any, items), str | bytes) or not isinstance(cast(Any, items), Sequence):
        raise InvalidArgument("concepts", "must be a list of texts or Concepts", items, _REMEDY)
    if prompt is not None and not isinstance(cast(Any, prompt), str):
        raise InvalidArgument("prompt", "must be a string or None", prompt)
    ends: dict[str, int] = {}
    return [_as_concept(item, prompt, ends) for item in items]


def _as_concept(item: str | Concept, prompt: str | None, ends: dict[str, int]) -> Concept:
    text = _text_of(item)
    span = _own_span(item, prompt) or _next_span(text, prompt, ends)
    found = text if prompt is None or span is None else prompt[slice(*span)]
    found = found if locate(found, text) else clean(found)
    if isinstance(item, Concept) and item.head:
        return replace(item, text=found, span=span)
    read = describe(found, span)
    if not isinstance(item, Concept):
        return read
    count = read.count if item.count is None else item.count
    return replace(read, attributes=item.attributes or read.attributes, count=count)


def _own_span(item: str | Concept, prompt: str | None) -> tuple[int, int] | None:
    """Return the span that a concept has already, where its text stands there."""
    if not isinstance(item, Concept) or item.span is None or prompt is None:
        return None
    return item.span if item.text in {prompt[slice(*item.span)], clean(prompt[slice(*item.span)])} else None


def _text_of(item: str | Concept) -> str:
    text = cast(Any, item.text if isinstance(item, Concept) else item)
    if not isinstance(text, str):
        raise InvalidArgument("concepts", "must be texts or Concepts", text, _REMEDY)
    if not text.strip():
        raise InvalidArgument("concepts", "must not be blank", text, f"leave it out or {_REMEDY}")
    return text.strip()


def _next_span(text: str, prompt: str | None, ends: dict[str, int]) -> tuple[int, int] | None:
    if prompt is None:
        return None
    key = text.lower()
    span = locate_marked(prompt, text, ends.get(key, 0)) or locate_marked(prompt, text)
    if span is not None:
        ends[key] = span[1]
    return span
