"""Prompt suites of the emoji world, split by hash into validation and test."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations
from typing import Literal

from semguide.errors import InvalidArgument
from semguide.scenes import COLOURS, noun_phrase
from semguide.scenes.scene import Position
from semguide.scenes.vocabulary import ATTEND_AND_EXCITE_ANIMALS, ATTEND_AND_EXCITE_OBJECTS
from semguide.types import Concept

Split = Literal["validation", "test"]

_NOUNS = (*ATTEND_AND_EXCITE_ANIMALS, *ATTEND_AND_EXCITE_OBJECTS)
_LINKS: dict[Position, str] = {"left": "left of", "right": "right of", "above": "above", "below": "below"}


@dataclass(frozen=True, slots=True)
class SuitePrompt:
    """A prompt with what it asks for.

    Attributes:
        text: The prompt.
        category: Its group within the suite.
        concepts: What must be in the picture, exactly known.
        position: Where the first concept must lie as seen from the second, None where the prompt does not say.
        exact: Whether there must be no more of a concept than it counts, as in GenEval's counting.
    """

    text: str
    category: str
    concepts: tuple[Concept, ...]
    position: Position | None = None
    exact: bool = False

    @property
    def split(self) -> Split:
        """Validation (for tuning) or test (for reporting), by the prompt's hash."""
        return "test" if _hash(self.text) % 2 else "validation"


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def _prompt(category: str, things: Sequence[tuple[str, str | None]], position: Position | None = None) -> SuitePrompt:
    last = f" {_LINKS[position]} " if position else " and "
    text = ""
    concepts: list[Concept] = []
    for index, (noun, colour) in enumerate(things):
        if index:
            text += last if index == len(things) - 1 else ", "
        phrase = noun_phrase(noun, colour)
        span = (len(text), len(text) + len(phrase))
        concepts.append(Concept(phrase, span, noun, (colour,) if colour else (), 1))
        text += phrase
    return SuitePrompt(text, category, tuple(concepts), position)


def _colours(key: str, count: int) -> list[str]:
    """Different colours, chosen by a hash of `key`, so that they never change."""
    names = list(COLOURS)
    value = _hash(key)
    chosen: list[str] = []
    for _ in range(count):
        value, index = divmod(value, len(names))
        chosen.append(names.pop(index))
    return chosen


def single() -> list[SuitePrompt]:
    """One object of each noun in each colour: 264 prompts."""
    return [_prompt("single", [(noun, colour)]) for noun in _NOUNS for colour in COLOURS]


def attend_and_excite() -> list[SuitePrompt]:
    """The structure of the Attend-and-Excite prompts, with colours of our own: 66 + 144 + 66 prompts."""
    animals = [_prompt("animals", [(a, None), (b, None)]) for a, b in combinations(ATTEND_AND_EXCITE_ANIMALS, 2)]
    mixed = [
        _prompt("animals_objects", [(a, None), (b, _colours(f"{a} {b}", 1)[0])])
        for a in ATTEND_AND_EXCITE_ANIMALS
        for b in ATTEND_AND_EXCITE_OBJECTS
    ]
    objects = [
        _prompt("objects", list(zip((a, b), _colours(f"{a} {b}", 2), strict=True)))
        for a, b in combinations(ATTEND_AND_EXCITE_OBJECTS, 2)
    ]
    return [*animals, *mixed, *objects]


def _chosen(groups: Iterable[Sequence[str]], key: str, count: int) -> list[Sequence[str]]:
    """The `count` groups of nouns that come first by a hash, so that the choice never changes."""
    return sorted(groups, key=lambda nouns: _hash(f"{key} {' '.join(nouns)}"))[:count]


def _in_colours(nouns: Sequence[str]) -> list[tuple[str, str | None]]:
    return list(zip(nouns, _colours(" ".join(nouns), len(nouns)), strict=True))


def _count(noun: str, count: int) -> SuitePrompt:
    text = noun_phrase(noun, None, count)
    return SuitePrompt(text, "counting", (Concept(text, (0, len(text)), noun, (), count),), exact=True)


def geneval() -> list[SuitePrompt]:
    """The six tasks of GenEval (arXiv 2310.11513) on the world's nouns: 24 + 100 + 72 + 96 + 100 + 100 prompts."""
    pairs = list(permutations(_NOUNS, 2))
    positions: list[Position] = list(_LINKS)
    return [
        *(_prompt("single_object", [(noun, None)]) for noun in _NOUNS),
        *(_prompt("two_object", [(a, None), (b, None)]) for a, b in _chosen(combinations(_NOUNS, 2), "two", 100)),
        *(_count(noun, count) for noun in _NOUNS for count in (2, 3, 4)),
        *(_prompt("colors", [(noun, colour)]) for noun in _NOUNS for colour in _colours(f"colors {noun}", 4)),
        *(
            _prompt("position", [(a, None), (b, None)], positions[index % 4])
            for index, (a, b) in enumerate(_chosen(pairs, "position", 100))
        ),
        *(_prompt("color_attr", _in_colours(nouns)) for nouns in _chosen(pairs, "color_attr", 100)),
    ]


def complex_scenes() -> list[SuitePrompt]:
    """Three and four things, each in a colour of its own: 100 + 100 prompts."""
    return [
        *(_prompt("three", _in_colours(nouns)) for nouns in _chosen(combinations(_NOUNS, 3), "three", 100)),
        *(_prompt("four", _in_colours(nouns)) for nouns in _chosen(combinations(_NOUNS, 4), "four", 100)),
    ]


#: Suite name -> its prompts.
SUITES: dict[str, Callable[[], list[SuitePrompt]]] = {
    "emoji-single": single,
    "emoji-ae": attend_and_excite,
    "emoji-geneval": geneval,
    "emoji-complex": complex_scenes,
}


def limited(prompts: Sequence[SuitePrompt], limit: int | None) -> list[SuitePrompt]:
    """Keep `limit` prompts, chosen by a hash: fair to every category, and a smaller choice is part of a larger one.

    Args:
        prompts: The prompts.
        limit: How many to keep, >= 1; None for all.

    Returns:
        Those kept, in the given order.
    """
    if limit is None or limit >= len(prompts):
        return list(prompts)
    kept = sorted(range(len(prompts)), key=lambda index: _hash(f"limit {prompts[index].text}"))[:limit]
    return [prompts[index] for index in sorted(kept)]


def suite(name: str, split: Split | None = None) -> list[SuitePrompt]:
    """Look up a suite.

    Args:
        name: A name of `SUITES`.
        split: Only this half; None for all.

    Raises:
        InvalidArgument: There is no such suite.
    """
    if name not in SUITES:
        raise InvalidArgument(f"suite must be one of {', '.join(SUITES)}, got {name!r}")
    return [prompt for prompt in SUITES[name]() if split in (None, prompt.split)]
