"""A concept named twice is one concept: its guidance would only be added to itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from semguide.concepts import words
from semguide.types import Concept

_DROPPED = words.DETERMINERS - words.POSSESSIVES


def merge_repeats(concepts: Sequence[Concept]) -> list[Concept]:
    """Keeps the first mention of phrases equal but for the article.

    "a dog and a dog" is one concept with count 2; "a dog ... the dog" one with count 1.

    Returns:
        The concepts in order, with the counts of their repeated mentions added where those are new ones.
    """
    merged: dict[str, Concept] = {}
    for concept in concepts:
        key = _key(concept.text)
        first = merged.setdefault(key, concept)
        if first is not concept and _is_new(concept):
            merged[key] = replace(first, count=_sum(first.count, concept.count))
    return list(merged.values())


def _key(text: str) -> str:
    names = text.lower().split()
    kept = [name for name in names if name not in _DROPPED]
    return " ".join(kept)


def _is_new(concept: Concept) -> bool:
    return concept.text.split()[0].lower() not in words.DEFINITE


def _sum(first: int | None, second: int | None) -> int | None:
    return None if first is None or second is None else first + second
