"""Phrases of a prompt as spans: cleaned of weights, found again, and named twice."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from semguide.concepts.lexicon import words
from semguide.types import Concept

_DROPPED: Final = words.DETERMINERS - words.POSSESSIVES
_POINTING: Final = frozenset({"the", "this", "that", "these", "those"})
# The weight of "(red:1.2)" and "(red)1.2", and brackets and signs around or after a word: "[red]", "{red}", "red++".
_WEIGHTS: Final = re.compile(
    r":\s*[-+]?\d*\.?\d+(?=\s*[)\]}])|(?<=[)\]])\d*\.?\d+(?!\w)|[()\[\]{}\\]|(?<=[\w)\]])(?:\+{1,9}|-{2,9})(?!\w)"
)


def clean(text: str) -> str:
    """The text without the weights of prompt syntaxes: "(red:1.2) car", "red++ car" and "[red] car" are "red car"."""
    return _WEIGHTS.sub("", text)


def locate(prompt: str, phrase: str, start: int = 0) -> tuple[int, int] | None:
    """The span of the first whole-word occurrence of `phrase` at or after `start`, ignoring case and width of spaces.

    Returns:
        Start and end offsets in `prompt`, or None where the phrase does not occur.
    """
    pattern = r"\s+".join(re.escape(word) for word in phrase.split())
    if not pattern:
        return None
    match = re.compile(rf"(?<!\w){pattern}(?!\w)", re.IGNORECASE).search(prompt, start)
    return match.span() if match else None


def locate_marked(prompt: str, phrase: str, start: int = 0) -> tuple[int, int] | None:
    """The span as of `locate`; where there is none, that of the phrase with weights in it: "a (red:1.2) car"."""
    found = locate(prompt, phrase, start)
    if found is not None:
        return found
    marks = [mark.span() for mark in _WEIGHTS.finditer(prompt)]
    offsets = [i for i in range(len(prompt)) if not any(first <= i < last for first, last in marks)]
    cleaned = "".join(prompt[i] for i in offsets)
    found = locate(cleaned, phrase, bisect_left(offsets, start))
    return None if found is None else (offsets[found[0]], offsets[found[1] - 1] + 1)


def merge_repeats(concepts: Sequence[Concept]) -> list[Concept]:
    """Keeps the first mention of what is named again: a repeat's guidance would only be added to itself.

    Named again are phrases equal but for the article, and "the bowl" after "a white bowl". "a dog and a dog" is one
    concept with count 2; "a dog ... the dog" one with count 1.

    Returns:
        The concepts in order, with the counts of their repeated mentions added where those are new ones.
    """
    merged: dict[str, Concept] = {}
    heads: set[str] = set()
    for concept in concepts:
        key = _key(concept.text)
        if key not in merged and key == concept.head and key in heads and _points_back(concept):
            continue
        first = merged.setdefault(key, concept)
        heads.add(concept.head)
        if first is not concept and _is_new(concept):
            merged[key] = replace(first, count=_sum(first.count, concept.count))
    return list(merged.values())


def _points_back(concept: Concept) -> bool:
    return concept.text.split()[0].lower() in _POINTING


def _key(text: str) -> str:
    return " ".join(name for name in text.lower().split() if name not in _DROPPED)


def _is_new(concept: Concept) -> bool:
    return concept.text.split()[0].lower() not in words.DEFINITE


def _sum(first: int | None, second: int | None) -> int | None:
    return None if first is None or second is None else first + second
