"""Word classes of a prompt's tokens, from the Brill lexicon that comes with TextBlob; sentences and phrases of them."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from pathlib import Path
from typing import Final

from semguide.concepts.lexicon import words
from semguide.concepts.lexicon.tokens import Kind, Token
from semguide.errors import SemguideError


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


# Endings of words that the lexicon does not have; the last that fits wins.
_ENDINGS: Final = (
    (re.compile(r"ing$"), "VBG"),
    (re.compile(r"ly$"), "RB"),
    (re.compile(r"(?<!i)(?<!ou)(?<!s)s$"), "NNS"),
    (re.compile(r"(?:able|al|ful|ible|ient|ish|ive|less|tic|ous)$|-"), "JJ"),
    (re.compile(r"ed$"), "VBN"),
    (re.compile(r"(?:ate|ify|ise|ize)$"), "VBP"),
)


@dataclass(frozen=True, slots=True)
class Phrase:
    """A noun phrase as token indices: `start` to `end` (excluded), `head` the index of its noun."""

    start: int
    end: int
    head: int
    partitive: bool = False


@dataclass(frozen=True, slots=True)
class Sentence:
    """The tokens of a prompt with their classes; reading past either end gives an empty word of class OTHER."""

    tokens: Sequence[Token]
    tags: Sequence[Tag]

    def tag(self, index: int) -> Tag:
        """The class at `index`."""
        return self.tags[index] if 0 <= index < len(self.tags) else Tag.OTHER

    def word(self, index: int) -> str:
        """The lower-case word at `index`."""
        return self.tokens[index].word if 0 <= index < len(self.tokens) else ""


def tag(tokens: Sequence[Token]) -> list[Tag]:
    """The class of every token. Reads the lexicon at the first call (once a process, about 0.1 s)."""
    return [_tag_of(token) for token in tokens]


def known_share(names: Sequence[str]) -> float:
    """The share of lower-case words that the lexicon has, from 0 to 1; 1 for no words."""
    return sum(is_known(name) for name in names) / len(names) if names else 1.0


def is_known(name: str) -> bool:
    """Whether the lexicon has a lower-case word, or its singular."""
    return name in _lexicon() or name in words.NOUNS or name.removesuffix("s") in _lexicon()


def _tag_of(token: Token) -> Tag:
    if token.kind is Kind.MARK:
        return _MARKS.get(token.word, Tag.OTHER)
    if token.kind is not Kind.WORD:
        return Tag.NUMBER if token.kind is Kind.NUMBER else Tag.POSSESSIVE
    return _tag_of_word(token.word)


def _tag_of_word(word: str) -> Tag:
    for members, found in _CLASSES:
        if word in members:
            return found
    if word in words.NUMBERS:
        return Tag.NUMBER
    if word in words.NOUNS:
        return Tag.PLURAL if word.endswith("s") else Tag.NOUN
    penn = _penn(word)
    if penn.startswith("JJ"):
        return Tag.ADJECTIVE
    if penn.startswith(("RB", "W")):
        return Tag.ADVERB
    return _PENN.get(penn, Tag.NOUN)


def _penn(word: str) -> str:
    """The Penn Treebank class of a lower-case word: the lexicon's, or that of its ending."""
    known = _lexicon().get(word)
    if known is not None:
        return known
    fitting = [penn for ending, penn in _ENDINGS if ending.search(word)]
    return fitting[-1] if fitting else "NN"


@cache
def _lexicon() -> dict[str, str]:
    """TextBlob's words with their commonest class. Its file is read without importing the package, which loads NLTK."""
    package = importlib.util.find_spec("textblob")
    folders = [] if package is None else package.submodule_search_locations or []
    for folder in folders:
        path = Path(folder) / "en" / "en-lexicon.txt"
        if path.is_file():
            lines = path.read_text(encoding="utf-8").splitlines()
            pairs = (line.split(" ", 2) for line in lines if line and not line.startswith(";;;"))
            return {pair[0]: pair[1] for pair in pairs if len(pair) > 1}
    raise SemguideError(
        "the lexicon back end needs the package textblob with its en-lexicon.txt; run: pip install textblob"
    )
