"""Prompt suites of the emoji world."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations, permutations
from typing import TYPE_CHECKING

from semguide.evaluation.suites import Split, Suite, SuitePrompt, stable_hash
from semguide.types import Concept, Position
from semguide_emoji.scenes import COLOURS, noun_phrase
from semguide_emoji.scenes.vocabulary import ATTEND_AND_EXCITE_ANIMALS, ATTEND_AND_EXCITE_OBJECTS

if TYPE_CHECKING:
    from PIL.Image import Image

_NOUNS = (*ATTEND_AND_EXCITE_ANIMALS, *ATTEND_AND_EXCITE_OBJECTS)
_LINKS: dict[Position, str] = {"left": "left of", "right": "right of", "above": "above", "below": "below"}


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
    value = stable_hash(key)
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
    return sorted(groups, key=lambda nouns: stable_hash(f"{key} {' '.join(nouns)}"))[:count]


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


def _fresh(category: str, coloured: Sequence[bool], known: set[str], validation: int, test: int) -> list[SuitePrompt]:
    """Pairs in which the things of `coloured` have a colour: as many of each half, none of them in `known`."""
    prompts: list[SuitePrompt] = []
    for nouns in permutations(_NOUNS, 2):
        colours = _colours(f"pairs {category} {' '.join(nouns)}", 2)
        things = zip(nouns, colours, coloured, strict=True)
        prompts.append(_prompt(category, [(noun, colour if wanted else None) for noun, colour, wanted in things]))
    fresh = sorted((p for p in prompts if p.text not in known), key=lambda p: stable_hash(f"pairs {p.text}"))
    halves: dict[Split, int] = {"validation": validation, "test": test}
    return [prompt for half, size in halves.items() for prompt in [p for p in fresh if p.split == half][:size]]


def pairs() -> list[SuitePrompt]:
    """Two things with no, one or two colours, in no other suite: 200 + 620 prompts of the two halves."""
    known = {prompt.text for prompts in (attend_and_excite, geneval) for prompt in prompts()}
    return [
        *_fresh("no_colour", (False, False), known, 60, 180),
        *_fresh("one_colour", (False, True), known, 70, 220),
        *_fresh("two_colours", (True, True), known, 70, 220),
    ]


def render(prompt: SuitePrompt, seed: int, size: int) -> Image | None:
    """Draw what a prompt asks for; None where no embedded checkpoint has this size, or its world lacks something."""
    from semguide_emoji.rendered import rendered

    return rendered(prompt, seed, size)


def _suite(name: str, prompts: Callable[[], list[SuitePrompt]]) -> Suite:
    return Suite(name, (prompts.__doc__ or "").partition(":")[0].strip(), prompts, render)


SINGLE = _suite("emoji-single", single)
ATTEND_AND_EXCITE = _suite("emoji-ae", attend_and_excite)
GENEVAL = _suite("emoji-geneval", geneval)
COMPLEX = _suite("emoji-complex", complex_scenes)
PAIRS = _suite("emoji-pairs", pairs)

SUITES: dict[str, Suite] = {suite.name: suite for suite in (SINGLE, ATTEND_AND_EXCITE, GENEVAL, COMPLEX, PAIRS)}
"""By name, in the order of the model cards."""
