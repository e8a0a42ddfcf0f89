"""Concepts as ComfyUI's CONDITIONING: a list of [embedding, options]."""

from __future__ import annotations

from typing import Any

Conditioning = list[Any]
"""[[embedding, options], ...]; several entries of a prompt are averaged, several of `concepts` are several concepts."""

NAME, PLACE = "semguide_concept", "semguide_place"
"""Options with a concept's text, for the trace, and its number; other nodes keep options that they do not know."""


def named(conditioning: Conditioning, text: str, place: int = 0) -> Conditioning:
    """Return a conditioning whose entries know their concept's text, and its number among several."""
    return [[embedding, {**options, NAME: text, PLACE: place}] for embedding, options in conditioning]


def concepts_of(conditioning: Conditioning) -> list[Conditioning]:
    """Split a conditioning into its concepts: entries with the same mark are one, each entry without a mark is one.

    So what ConditioningCombine makes of two text encodes is two concepts.
    """
    found: dict[Any, Conditioning] = {}
    for number, entry in enumerate(conditioning):
        options = entry[1]
        mark = (options[NAME], options.get(PLACE)) if NAME in options else number
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
