"""Word classes of a prompt's tokens, from the Brill lexicon that comes with TextBlob."""

from __future__ import annotations

import importlib
import threading
import warnings
from collections.abc import Callable, Sequence
from enum import Enum, auto
from functools import cache
from typing import Any

from semguide.concepts import words
from semguide.concepts.tokens import Kind, Token

_LOADING = threading.Lock()


class Tag(Enum):
    """The classes that the chunker tells apart."""

    DETERMINER = auto()
    NUMBER = auto()
    ADJECTIVE = auto()
    NOUN = auto()
    PLURAL = auto()
    BASE_VERB = auto()  # "stop", "bear": as often a noun
    S_VERB = auto()  # "leaves", "sits"
    PAST_VERB = auto()
    PARTICIPLE = auto()  # "hidden", "covered"
    GERUND = auto()  # "running"
    ADVERB = auto()
    CONJUNCTION = auto()
    COMMA = auto()
    PREPOSITION = auto()
    POSSESSIVE = auto()
    OTHER = auto()  # pronouns, auxiliaries, marks: they end a phrase


NOMINAL = frozenset({Tag.NOUN, Tag.PLURAL})
VERBAL = frozenset({Tag.BASE_VERB, Tag.S_VERB, Tag.PAST_VERB, Tag.PARTICIPLE, Tag.GERUND})

_PENN = {
    "CD": Tag.NUMBER,
    "DT": Tag.DETERMINER,
    "IN": Tag.PREPOSITION,
    "TO": Tag.PREPOSITION,
    "NNS": Tag.PLURAL,
    "NNPS": Tag.PLURAL,
    "VB": Tag.BASE_VERB,
    "VBP": Tag.BASE_VERB,
    "VBZ": Tag.S_VERB,
    "VBD": Tag.PAST_VERB,
    "VBN": Tag.PARTICIPLE,
    "VBG": Tag.GERUND,
}
_CLASSES = (
    (words.DETERMINERS, Tag.DETERMINER),
    (words.PRONOUNS, Tag.OTHER),
    (words.CONJUNCTIONS, Tag.CONJUNCTION),
    (words.PREPOSITIONS, Tag.PREPOSITION),
    (words.AUXILIARIES, Tag.OTHER),
    (words.ADVERBS, Tag.ADVERB),
    (words.ADJECTIVES, Tag.ADJECTIVE),
)
_MARKS = {",": Tag.COMMA, "&": Tag.CONJUNCTION}


def tag(tokens: Sequence[Token]) -> list[Tag]:
    """The class of every token. Loads the lexicon at the first call (once a process, about a second)."""
    penn = dict(zip(names, _penn(names), strict=True)) if (names := _open_class(tokens)) else {}
    return [_tag_of(token, penn) for token in tokens]


def known_share(names: Sequence[str]) -> float:
    """The share of lower-case words that the lexicon has, from 0 to 1; 1 for no words."""
    _, lexicon = _tagger()
    return sum(_is_known(name, lexicon) for name in names) / len(names) if names else 1.0


def _is_known(name: str, lexicon: Any) -> bool:
    return name in lexicon or name in words.NOUNS or name.removesuffix("s") in lexicon


def _open_class(tokens: Sequence[Token]) -> list[str]:
    return list({token.word: None for token in tokens if token.kind is Kind.WORD})


def _tag_of(token: Token, penn: dict[str, str]) -> Tag:
    if token.kind is Kind.MARK:
        return _MARKS.get(token.word, Tag.OTHER)
    if token.kind is not Kind.WORD:
        return Tag.NUMBER if token.kind is Kind.NUMBER else Tag.POSSESSIVE
    return _tag_of_word(token.word, penn[token.word])


def _tag_of_word(word: str, penn: str) -> Tag:
    for members, found in _CLASSES:
        if word in members:
            return found
    if word in words.NUMBERS:
        return Tag.NUMBER
    if word in words.NOUNS:
        return Tag.PLURAL if word.endswith("s") else Tag.NOUN
    if penn.startswith("JJ"):
        return Tag.ADJECTIVE
    if penn.startswith(("RB", "W")):
        return Tag.ADVERB
    return _PENN.get(penn, Tag.NOUN)


def _penn(names: Sequence[str]) -> list[str]:
    parse, _ = _tagger()
    (sentence,) = parse(" ".join(names), tokenize=False, chunks=False, lemmata=False, collapse=False)
    return [str(pair[1]) for pair in sentence]


def _tagger() -> tuple[Callable[..., Any], Any]:
    with _LOADING:
        return _load()


@cache
def _load() -> tuple[Callable[..., Any], Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TextBlob 0.20 leaves its lexicon file to the garbage collector
        english: Any = importlib.import_module("textblob.en")  # has no type stubs
        english.parse("a red car", lemmata=False)
    return english.parse, english.lexicon
