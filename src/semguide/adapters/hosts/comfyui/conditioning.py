"""Concepts as ComfyUI's CONDITIONING: a list of [embedding, options]."""

from __future__ import annotations

from itertools import count
from typing import Any

Conditioning = list[Any]
"""[[embedding, options], ...]; several entries of a prompt are averaged, several of `concepts` are several concepts."""

NAME, MARK = "semguide_concept", "semguide_place"
"""Options with a concept's text, for the trace, and its number; other nodes keep options that they do not know."""
_NUMBERS = count()


def named(conditioning: Conditioning, text: str) -> Conditioning:
    """Return a conditioning whose entries know their concept's text, and by a number of their own that they are one."""
    number = next(_NUMBERS)
    return [[embedding, {**options, NAME: text, MARK: number}] for embedding, options in conditioning]


def concepts_of(conditioning: Conditioning) -> list[Conditioning]:
    """Split a conditioning into its concepts: entries with the same mark are one, or without one of the same encoding.

    So what ConditioningCombine makes of two text encodes is two concepts, and of one in two areas it is one.
    """
    found: dict[Any, Conditioning] = {}
    for entry in conditioning:
        embedding, options = entry
        mark = (options[NAME], options.get(MARK)) if NAME in options else id(embedding)
        found.setdefault(mark, []).append(entry)
    return list(found.values())


def name_of(conditioning: Conditioning, index: int) -> str:
    """Return the text of a concept, or its number where another node encoded it."""
    return next((options[NAME] for _, options in conditioning if NAME in options), f"concept {index + 1}")


def completed(concept: Conditioning, prompt: Conditioning) -> Conditioning:
    """Return a concept with the options that it lacks and all entries of the prompt share.

    A ControlNet, an area, hooks or a distilled guidance value that was put on the prompt applies to its concepts too:
    their predictions can only be compared where nothing but the text differs.
    """
    first, *others = [options for _, options in prompt] or [{}]
    shared = {key: value for key, value in first.items() if all(other.get(key) is value for other in others)}
    return [[embedding, {**shared, **options}] for embedding, options in concept]
