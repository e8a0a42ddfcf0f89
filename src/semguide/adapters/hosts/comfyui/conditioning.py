"""Concepts as ComfyUI's CONDITIONING: a list of [embedding, options]."""

from __future__ import annotations

from typing import Any

Conditioning = list[Any]
"""[[embedding, options], ...]; several entries of one conditioning are averaged."""

NAME = "semguide_concept"
"""The option that carries a concept's text, for the trace; other nodes keep options that they do not know."""


def named(conditioning: Conditioning, text: str) -> Conditioning:
    """Return a conditioning that knows its concept's text."""
    return [[embedding, {**options, NAME: text}] for embedding, options in conditioning]


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
