"""Prompt suites of the emoji world, split by hash into validation and test."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from semguide.errors import InvalidArgument
from semguide.scenes import COLOURS, noun_phrase
from semguide.scenes.vocabulary import ATTEND_AND_EXCITE_ANIMALS, ATTEND_AND_EXCITE_OBJECTS
from semguide.types import Concept

Split = Literal["validation", "test"]


@dataclass(frozen=True, slots=True)
class SuitePrompt:
    """A prompt with what it asks for.

    Attributes:
        text: The prompt.
        category: Its group within the suite.
        concepts: What must be in the picture, exactly known.
    """

    text: str
    category: str
    concepts: tuple[Concept, ...]

    @property
    def split(self) -> Split:
        """Validation (for tuning) or test (for reporting), by the prompt's hash."""
        return "test" if _hash(self.text) % 2 else "validation"


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def _prompt(category: str, things: Sequence[tuple[str, str | None]]) -> SuitePrompt:
    phrases = [noun_phrase(noun, colour) for noun, colour in things]
    concepts: list[Concept] = []
    start = 0
    for phrase, (noun, colour) in zip(phrases, things, strict=True):
        concepts.append(Concept(phrase, (start, start + len(phrase)), noun, (colour,) if colour else (), 1))
        start += len(phrase) + len(" and ")
    return SuitePrompt(" and ".join(phrases), category, tuple(concepts))


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
    nouns = (*ATTEND_AND_EXCITE_ANIMALS, *ATTEND_AND_EXCITE_OBJECTS)
    return [_prompt("single", [(noun, colour)]) for noun in nouns for colour in COLOURS]


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


#: Suite name -> its prompts.
SUITES: dict[str, Callable[[], list[SuitePrompt]]] = {"emoji-single": single, "emoji-ae": attend_and_excite}


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
