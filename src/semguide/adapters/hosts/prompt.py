"""Prompts with the marks that ComfyUI and Forge read: emphasis, escapes and embeddings."""

from __future__ import annotations

import re

from semguide.concepts import decompose, why_none
from semguide.concepts.budget import MAX_CONCEPTS, choose
from semguide.errors import notify

_EMPHASIS = re.compile(r"(?<!\\)\(((?:\\.|[^()\\])*)\)")
_LESS = re.compile(r"(?<!\\)\[((?:\\.|[^\[\]:|\\])*)\]")
_WEIGHT = re.compile(r":\s*-?[\d.]+\s*$")
_ESCAPE = re.compile(r"\\([()\[\]])")


def concept_texts(prompt: str, own: str = "", max_concepts: int = MAX_CONCEPTS) -> list[str]:
    """Return the texts of a prompt's concepts; warns where there is none, and of those that are left out.

    These hosts read a prompt in chunks to its end, so that none is left out for its length.

    Args:
        prompt: The prompt, with or without marks.
        own: The user's concepts, one a line, with marks if wished; blank asks for those of the prompt.
        max_concepts: How many of the prompt's concepts to keep, >= 1.

    Returns:
        The user's lines, or the noun phrases of the prompt without its marks.
    """
    lines = [line.strip() for line in own.splitlines() if line.strip()]
    if lines:
        return lines
    text = plain(prompt)
    choice = choose(text, decompose(text), max_concepts)
    if (warning := choice.warning) is not None:
        notify(warning.message, warning.remedy)
    elif not choice.kept and text.strip():
        notify(why_none(text, looked=True))
    return [concept.text for concept in choice.kept]


def plain(prompt: str) -> str:
    r"""Return a prompt without marks.

    Forge's `[from:to:when]` and `[this|that]` stay: which of the words is meant changes from step to step. ComfyUI's
    `embedding:NAME` stays too, and is encoded with the concept in which it stands.

    >>> plain(r"a ((red:1.2) book:1.1) and a [big] cat \(toy\) with an (embedding:charm:1.2)")
    'a red book and a big cat (toy) with an embedding:charm'
    """
    text, before = prompt, ""
    while text != before:
        text, before = _LESS.sub(r"\1", _EMPHASIS.sub(lambda marked: _WEIGHT.sub("", marked[1]), text)), text
    return _ESCAPE.sub(r"\1", text)
