"""Word classes of a prompt's tokens, from the Brill lexicon that comes with TextBlob; sentences and phrases of them."""

from __future__ import annotations

import importlib.util
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from pathlib import Path
from typing import Final

from semguide.concepts.lexicon import style_words, words
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
_UNFINISHED = frozenset({Tag.DETERMINER, Tag.NUMBER, Tag.ADJECTIVE, Tag.PARTICIPLE})  # a phrase goes on after these
_OPENING = frozenset("([{")
_MOST_WEIGHTS = 8  # closing brackets in a row
_MOST_DOUBLED = 4  # letters of a verb that doubles its last one: "plan", "planned"
VERBAL = frozenset({Tag.BASE_VERB, Tag.S_VERB, Tag.PAST_VERB, Tag.PARTICIPLE, Tag.GERUND})

_PENN = {
    "CD": Tag.NUMBER,
    "JJ": Tag.ADJECTIVE,
    "RB": Tag.ADVERB,
    "WD": Tag.ADVERB,
    "WP": Tag.ADVERB,
    "WR": Tag.ADVERB,
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
    (frozenset(words.NUMBERS), Tag.NUMBER),
)
_MARKS = {",": Tag.COMMA, "&": Tag.CONJUNCTION}


# Endings of words that the lexicon does not have; the last that fits wins.
_ENDINGS: Final = (
    (re.compile(r"ing$"), "VBG"),
    (re.compile(r"ly$"), "RB"),
    (re.compile(r"(?<!i)(?<!ou)(?<!s)s$"), "NNS"),
    (re.compile(r"(?:able|al|ful|ible|ient|ish|ive|less|ic|ous)$|-"), "JJ"),
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


def read_tokens(tokens: Sequence[Token]) -> Sentence:
    """The tokens with their classes, without the weights inside a phrase: "a (red:1.2) car" reads as "a red car".

    Loads the lexicon at the first call (once a process, about 0.1 s).
    """
    tags = [_tag_of(token) for token in tokens]
    kept: list[int] = []
    opened: list[tuple[bool, int]] = []  # for each open bracket: whether it stands inside a phrase, where it is kept
    for index, token in enumerate(tokens):
        if token.kind is not Kind.WEIGHT or not _is_inside(tokens, tags, kept, opened, index):
            kept.append(index)
    return Sentence([tokens[i] for i in kept], [tags[i] for i in kept])


def _is_inside(
    tokens: Sequence[Token], tags: Sequence[Tag], kept: Sequence[int], opened: list[tuple[bool, int]], index: int
) -> bool:
    """Whether a weight or bracket stands inside a phrase, which goes on after it."""
    sign = tokens[index].word
    unfinished = bool(kept) and tags[kept[-1]] in _UNFINISHED
    if sign in _OPENING:
        opened.append((unfinished, len(kept)))
        return unfinished
    if sign not in ")]}":
        return True
    if not opened:
        return False
    inner, place = opened.pop()
    following = index + 1
    while following < len(tokens) and following < index + _MOST_WEIGHTS and tokens[following].kind is Kind.WEIGHT:
        if tokens[following].word in _OPENING and not inner:  # "(blue) (old boat)" are two
            break
        following += 1
    goes_on = following < len(tokens) and tags[following] in NOMINAL | {Tag.ADJECTIVE}
    return goes_on and (unfinished or inner or _describes(tokens, tags, kept[place + 1 :], following))


def _describes(tokens: Sequence[Token], tags: Sequence[Tag], weighted: Sequence[int], following: int) -> bool:
    """Whether one weighted noun describes the noun after it: "(velvet:1.1) box"."""
    if len(weighted) != 1 or tags[weighted[0]] is not Tag.NOUN or tags[following] not in NOMINAL:
        return False
    return tokens[weighted[0]].word not in style_words.MARKERS | style_words.NEVER


def is_known(name: str) -> bool:
    """Whether the lexicon has a lower-case word, its singular, or it without accents ("jalapeño")."""
    if name in words.NOUNS or name in words.ADJECTIVES:
        return True
    american = name.replace("our", "or")
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    lexicon = _lexicon()
    return any(lexicon.get(form, "FW") != "FW" for form in (name, name.removesuffix("s"), plain, american))


def is_noun(word: str) -> bool:
    """Whether the lexicon gives a lower-case word as a noun."""
    return _lexicon().get(word, "").startswith("NN")


def is_embedding(word: str) -> bool:
    """Whether a word is the token of a textual inversion: "<cat-toy>", "embedding:cat-toy"."""
    return word.startswith(("<", "embedding:"))


def can_be_verb(word: str) -> bool:
    """Whether a lower-case word is the base of a regular verb, by its past: "chase", "carry", "plan", but not "car"."""
    if re.search(r"(?:^|[^aeiou])[^aeiou]?[aeiou][^aeiouwxy]$", word) and len(word) <= _MOST_DOUBLED:
        forms = [f"{word}{word[-1]}ed"]
    else:
        forms = [f"{word}ed", f"{word}d", f"{word[:-1]}ied"]
    return any(_lexicon().get(form, "").startswith("VB") for form in forms)


def is_given_name(word: str) -> bool:
    """Whether the lexicon has a lower-case word as a name: "john", "howe"."""
    return _lexicon().get(word.capitalize(), "").startswith("NNP")


def is_name(token: Token) -> bool:
    """Whether a word can be a name: written with a capital letter, or not in the lexicon but as a name."""
    return token.kind is Kind.WORD and (token.capital or not is_known(token.word))


def _tag_of(token: Token) -> Tag:
    if token.kind is Kind.NUMBER:
        return Tag.NUMBER
    if token.kind is Kind.POSSESSIVE:
        return Tag.POSSESSIVE
    if token.kind is not Kind.WORD:
        return _MARKS.get(token.word, Tag.OTHER)
    return _tag_of_mixed(token.word) if token.word[0].isdigit() else _tag_of_word(token.word)


def counted_noun(word: str) -> str:
    """The noun of a tag that begins with its count: "girls" of "2girls", "" of any other word."""
    noun = word.lstrip("0123456789")
    return noun if noun != word and noun in words.COUNTED else ""


def _tag_of_mixed(word: str) -> Tag:
    """The class of a word of digits and letters: "1girl" is a counted noun, "3D", "18th" and "8k" are adjectives."""
    noun = counted_noun(word)
    if noun:
        return Tag.PLURAL if noun.endswith("s") else Tag.NOUN
    return Tag.ADJECTIVE


def _tag_of_word(word: str) -> Tag:
    if is_embedding(word) or any(char.isdigit() for char in word):  # "<cat-toy>", "F1", "R2-D2"
        return Tag.NOUN
    listed = next((found for members, found in _CLASSES if word in members), None)
    if listed is not None:
        return listed
    if word in words.NOUNS:
        return Tag.PLURAL if word.endswith("s") else Tag.NOUN
    penn = _penn(word)
    return _PENN.get(penn) or _PENN.get(penn[:2], Tag.NOUN)


def _penn(word: str) -> str:
    """The Penn Treebank class of a lower-case word: the lexicon's, or that of its ending."""
    known = _lexicon().get(word)
    if word.endswith(("ier", "iest")):
        plain = f"{word.rpartition('ie')[0]}y"
        if plain in words.ADJECTIVES or (known is None and _tag_of_word(plain) is Tag.ADJECTIVE):  # "tinier"
            return "JJ"
    if known is not None:
        return known
    fitting = [penn for ending, penn in _ENDINGS if ending.search(word) and (penn != "RB" or _is_of_adjective(word))]
    return fitting[-1] if fitting else "NN"


def _is_of_adjective(word: str) -> bool:
    """Whether a word in -ly comes of a known one: "gently", "fluffily", but not "dragonfly"."""
    return any(is_known(form) for form in (word[:-2], f"{word[:-1]}e", f"{word[:-3]}y", word[:-4]))


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
