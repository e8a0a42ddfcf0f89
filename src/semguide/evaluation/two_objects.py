"""Prompts of two things for models that draw anything: Attend-and-Excite's structure, words of our own."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from semguide.evaluation.suites import Suite, SuitePrompt, stable_hash
from semguide.types import Concept

_ANIMALS = [
    "fox",
    "owl",
    "sheep",
    "goat",
    "duck",
    "penguin",
    "zebra",
    "squirrel",
    "hedgehog",
    "camel",
    "otter",
    "parrot",
]
_OBJECTS = [
    "kettle",
    "lamp",
    "umbrella",
    "guitar",
    "teapot",
    "hat",
    "drum",
    "ladder",
    "vase",
    "basket",
    "candle",
    "boot",
]
_COLOURS = ["red", "blue", "green", "yellow", "orange", "purple", "pink", "white", "black", "brown", "gray"]


def two_objects() -> list[SuitePrompt]:
    """Two animals, an animal and an object, two objects (Attend-and-Excite's structure): 66 + 144 + 66 prompts."""
    mixed = [(animal, thing) for animal in _ANIMALS for thing in _OBJECTS]
    return [
        *(_prompt("animals", pair, (None, None)) for pair in combinations(_ANIMALS, 2)),
        *(_prompt("animals_objects", pair, (None, _colours(pair)[0])) for pair in mixed),
        *(_prompt("objects", pair, _colours(pair)) for pair in combinations(_OBJECTS, 2)),
    ]


def _colours(nouns: Sequence[str]) -> tuple[str, str]:
    """Choose two different colours by a hash of the nouns, so that they never change."""
    first, second = divmod(stable_hash(f"two objects {' '.join(nouns)}"), len(_COLOURS))[::-1]
    others = [colour for colour in _COLOURS if colour != _COLOURS[first]]
    return _COLOURS[first], others[second % len(others)]


def _prompt(category: str, nouns: Sequence[str], colours: Sequence[str | None]) -> SuitePrompt:
    text, concepts = "", list[Concept]()
    for noun, colour in zip(nouns, colours, strict=True):
        text += " and " if text else ""
        words = f"{colour} {noun}" if colour else noun
        phrase = f"{'an' if words[0] in 'aeiou' else 'a'} {words}"
        span = (len(text), len(text) + len(phrase))
        concepts.append(Concept(phrase, span, noun, (colour,) if colour else (), 1))
        text += phrase
    return SuitePrompt(text, category, tuple(concepts))


TWO_OBJECTS = Suite(
    "two-objects", "Two animals, an animal and an object, two objects, for models that draw anything", two_objects
)
