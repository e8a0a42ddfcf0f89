"""Prompts with the marks that ComfyUI and Forge read: emphasis, escapes and embeddings."""

from __future__ import annotations

import re

from semguide.concepts import decompose

_EMPHASIS = re.compile(r"(?<!\\)\(((?:\\.|[^()\\])*)\)")
_LESS = re.compile(r"(?<!\\)\[((?:\\.|[^\[\]:|\\])*)\]")
_WEIGHT = re.compile(r":\s*-?[\d.]+\s*$")
_EMBEDDING = re.compile(r"\bembedding:\S+")
_ESCAPE = re.compile(r"\\([()\[\]])")


def concept_texts(prompt: str, own: str = "") -> list[str]:
    """Return the texts of a prompt's concepts.

    Args:
        prompt: The prompt, with or without marks.
        own: The user's concepts, one a line, with marks if wished; blank asks for those of the prompt.

    Returns:
        The user's lines, or the noun phrases of the prompt without its marks.
    """
    lines = [line.strip() for line in own.splitlines() if line.strip()]
    return lines or [concept.text for concept in decompose(plain(prompt))]


def plain(prompt: str) -> str:
    r"""Return a prompt without marks.

    Forge's `[from:to:when]` and `[this|that]` stay: which of the words is meant changes from step to step.

    >>> plain(r"a ((red:1.2) book:1.1) and a [big] cat \(toy\), embedding:charm")
    'a red book and a big cat (toy), '
    """
    text, before = _EMBEDDING.sub("", prompt), ""
    while text != before:
        text, before = _LESS.sub(r"\1", _EMPHASIS.sub(lambda marked: _WEIGHT.sub("", marked[1]), text)), text
    return _ESCAPE.sub(r"\1", text)
