"""What a word is in its sentence, where the lexicon's class of the word alone is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from semguide.concepts.lexicon import style_words, words
from semguide.concepts.lexicon.tagging import NOMINAL, VERBAL, Sentence, Tag, can_be_verb, is_known, is_noun
from semguide.concepts.lexicon.tokens import Kind

_JOINS: Final = frozenset({"and", ",", "or", "while", "before", "after", "then"})
_BE: Final = frozenset(["is", "are", "was", "were", "be", "been", "being"])
_MOST_DESCRIBED: Final = 6  # words of a subject, and from a verb to the noun that it acts on
_OPENERS: Final = frozenset({Tag.DETERMINER, Tag.NUMBER, Tag.POSSESSIVE})
_AGENTS: Final = ("ers", "ors", "men", "people", "children", "ists", "ians")
_DEGREES: Final = frozenset({"very", "too", "quite", "rather", "so", "almost", "not", "never", "once"})
_CLAUSE_LENGTH: Final = 40  # words looked back for "is holding"
_CLAUSE: Final = frozenset({Tag.DETERMINER, Tag.PREPOSITION, Tag.ADVERB, Tag.OTHER})


def read_in_context(sentence: Sentence) -> Sentence:
    """The sentence with classes corrected, each rule applied once from left to right."""
    tags = list(sentence.tags)
    current = Sentence(sentence.tokens, tags)
    for index in range(len(tags)):
        tags[index] = _tag_in_context(current, index)
    return Sentence(sentence.tokens, tuple(tags))


def _tag_in_context(sentence: Sentence, index: int) -> Tag:
    word, tag = sentence.word(index), sentence.tag(index)
    rule = _RULES.get(word)
    if sentence.tokens[index].kind is Kind.QUOTED:
        return _quoted(sentence, index)
    if _is_noun(sentence, index):
        return Tag.PLURAL if tag is Tag.S_VERB else Tag.NOUN
    if rule is not None:
        return rule(sentence, index)
    if tag is Tag.NOUN and sentence.tag(index - 1) is Tag.PLURAL and _is_verb_of_plural(sentence, index):
        return Tag.BASE_VERB
    if tag is Tag.ADVERB and not word.endswith("ly") and word not in _DEGREES:  # "a still pond"
        placed = sentence.tag(index - 1) is Tag.DETERMINER and sentence.tag(index + 1) in NOMINAL
        return Tag.ADJECTIVE if placed else tag
    return _ending_in_ing(sentence, index) if word.endswith("ing") and tag in NOMINAL else tag


def _is_verb_of_plural(sentence: Sentence, index: int) -> bool:
    """Whether a noun-like word after a plural is its verb: "dogs chase cats", "the bells ring."."""
    word, subject = sentence.word(index), sentence.word(index - 1)
    if subject in words.PLURAL_MODIFIERS or word in style_words.STYLES or not can_be_verb(word):
        return False
    start = index - 1
    while start > index - _MOST_DESCRIBED and sentence.tag(start - 1) in NOMINAL | {Tag.ADJECTIVE, Tag.PARTICIPLE}:
        start -= 1
    opener = sentence.word(start - 1)
    if opener in words.SINGULAR:
        return False
    told = sentence.tag(start - 1) in _OPENERS or opener == "of" or subject.endswith(_AGENTS)
    if sentence.word(index + 1) in {"", "."}:
        return told and bool({word, f"{word}s"} & (words.ACTIONS | words.ACTIONS_IN_S))
    last = index + 1
    while sentence.tag(last) is Tag.ADJECTIVE and last < index + _MOST_DESCRIBED:
        last += 1
    return sentence.tag(last) is Tag.PLURAL or (told and sentence.tag(last) is Tag.NOUN)


def _ending_in_ing(sentence: Sentence, index: int) -> Tag:
    if _has_object(sentence, index) or _is_doing(sentence, index):
        return Tag.GERUND
    return Tag.OTHER if _is_progressive(sentence, index) else sentence.tag(index)


def _is_doing(sentence: Sentence, index: int) -> bool:
    """Whether a word in -ing says what a noun does where: "a clown dancing in a tent", "a sign reading 'open'"."""
    placed = sentence.tag(index + 1) is Tag.PREPOSITION and sentence.word(index + 1) != "of"
    quotes = index + 1 < len(sentence.tokens) and sentence.tokens[index + 1].kind is Kind.QUOTED
    does = words.INTRANSITIVE | words.TRANSITIVE - words.TAGS_IN_ING
    return (placed or quotes) and sentence.word(index) in does and sentence.tag(index - 1) in NOMINAL


def _light(sentence: Sentence, index: int) -> Tag:
    """The adjective of "painted light blue"."""
    return Tag.ADJECTIVE if sentence.word(index + 1) in words.COLOURS else sentence.tag(index)


def _rose(sentence: Sentence, index: int) -> Tag:
    """The verb of "the moon rose above the hill"."""
    is_verb = sentence.tag(index - 1) in NOMINAL and sentence.tag(index + 1) in _CLAUSE
    return Tag.OTHER if is_verb else sentence.tag(index)


def _far(sentence: Sentence, index: int) -> Tag:
    """The adjective of "the far shore"."""
    placed = sentence.tag(index - 1) is Tag.DETERMINER and sentence.tag(index + 1) in NOMINAL
    return Tag.ADJECTIVE if placed else sentence.tag(index)


def _is_noun(sentence: Sentence, index: int) -> bool:
    """Whether a word is a noun that the lexicon has as something else."""
    placed = sentence.tag(index - 1) is Tag.PREPOSITION and sentence.word(index - 1) != "to"
    ends = sentence.tag(index + 1) not in NOMINAL | {Tag.DETERMINER, Tag.ADJECTIVE}
    content = sentence.tag(index) in {Tag.BASE_VERB, Tag.S_VERB} and placed and ends  # "a tub of spread", "on mars"
    sparks = sentence.tag(index) is Tag.S_VERB and _opens_segment(sentence, index)  # "sparks flying"
    return (
        content
        or sparks
        or _ends_name(sentence, index)
        or ("-" in sentence.word(index) and _is_hyphened(sentence, index))
    )


def _opens_segment(sentence: Sentence, index: int) -> bool:
    opens = index == 0 or sentence.tokens[index - 1].kind in {Kind.MARK, Kind.WEIGHT}
    return opens and sentence.tag(index + 1) not in {Tag.DETERMINER, Tag.PREPOSITION}


def _has_object(sentence: Sentence, index: int) -> bool:
    """Whether a word in -ing stands between a noun and its object: "a chef cooking pasta"."""
    if sentence.word(index) not in words.TRANSITIVE - words.TAGS_IN_ING - {"cutting"}:
        return False
    return sentence.tag(index - 1) in NOMINAL and sentence.tag(index + 1) in NOMINAL | {Tag.ADJECTIVE}


def _quoted(sentence: Sentence, index: int) -> Tag:
    """A quotation is part of a phrase in 'a "no entry" sign' and is not read elsewhere."""
    return Tag.NOUN if sentence.tag(index - 1) in {Tag.DETERMINER, Tag.NUMBER, Tag.ADJECTIVE} else Tag.OTHER


def _ends_name(sentence: Sentence, index: int) -> bool:
    """Whether an adjective or verb is the last word of a name: "Dr. Evil", "Mona Crossing"."""
    if not sentence.tokens[index].capital or sentence.tag(index) not in VERBAL | {Tag.ADJECTIVE} or index == 0:
        return False
    named = sentence.tokens[index - 1].capital and sentence.tag(index - 1) in NOMINAL
    return named and sentence.tag(index + 1) not in NOMINAL | {Tag.ADJECTIVE}


def _is_hyphened(sentence: Sentence, index: int) -> bool:
    """Whether a word with a hyphen is the noun: "an IT-guy at"; but "a leather-like material"."""
    if sentence.tag(index) is not Tag.ADJECTIVE or is_known(sentence.word(index)):
        return False
    last = sentence.word(index).rpartition("-")[2]
    ends = sentence.tag(index + 1) not in NOMINAL | {Tag.ADJECTIVE, Tag.PARTICIPLE, Tag.COMMA, Tag.CONJUNCTION}
    return ends and is_noun(last)


def _person(sentence: Sentence, index: int) -> Tag:
    """The noun of "a young female in a coat"; but "a female knight"."""
    return sentence.tag(index) if sentence.tag(index + 1) in NOMINAL | {Tag.ADJECTIVE} else Tag.NOUN


def _is_progressive(sentence: Sentence, index: int) -> bool:
    """Whether a word in -ing is the verb: "is building", "is holding a saw and building a table"."""
    before = index - 1
    while sentence.tag(before) is Tag.ADVERB:
        before -= 1
    if sentence.word(before) in _BE:
        return True
    if sentence.word(before) not in _JOINS or sentence.word(index) in words.THINGS_IN_ING:
        return False
    return _follows_progressive(sentence, before) or sentence.tag(index + 1) in _CLAUSE


def _follows_progressive(sentence: Sentence, index: int) -> bool:
    earlier = range(max(1, index - _CLAUSE_LENGTH), index)
    return any(sentence.word(i).endswith("ing") and sentence.word(i - 1) in _BE for i in earlier)


def _side(sentence: Sentence, index: int) -> Tag:
    """Words of place: "right" in "a tie right of a bear", "next" in "next to"."""
    after = sentence.word(index + 1)
    if sentence.word(index) == "right" and after in {"as", "before", "after", "when", "where", "by", "at", "in"}:
        return Tag.ADVERB if sentence.tag(index - 1) in NOMINAL else sentence.tag(index)
    if sentence.tokens[index].capital and index + 1 < len(sentence.tokens) and sentence.tokens[index + 1].capital:
        return Tag.NOUN  # "South Harbor"
    if sentence.word(index) == "next":
        return Tag.PREPOSITION if after == "to" else sentence.tag(index)
    if after == "of" and sentence.tag(index - 1) in NOMINAL | {Tag.ADJECTIVE}:
        return Tag.PREPOSITION
    return sentence.tag(index)


def _pairwise(sentence: Sentence, index: int) -> Tag:
    repeats = {sentence.word(index - 2), sentence.word(index + 2)}
    between = {sentence.word(index - 1), sentence.word(index + 1)}
    is_pair = sentence.word(index) in repeats and between & {"by", "to"}
    return Tag.ADVERB if is_pair else sentence.tag(index)


def _can(sentence: Sentence, index: int) -> Tag:
    """The noun of "a can of soup", "a paint can and a brush"; but "a dog can run"."""
    described = sentence.tag(index - 1) in {Tag.DETERMINER, Tag.ADJECTIVE, Tag.NUMBER}
    after = sentence.word(index + 1)
    closed = sentence.tag(index + 1) in {Tag.CONJUNCTION, Tag.COMMA, Tag.PREPOSITION} or not after[:1].isalpha()
    return Tag.NOUN if described or closed else sentence.tag(index)


def _compound_head(sentence: Sentence, index: int) -> Tag:
    """The noun of "a drum set and", "a counter top"; but "the sun set behind", "a dog top of"."""
    ends = sentence.tag(index + 1) not in _CLAUSE or sentence.word(index + 1) in {
        ".",
        "with",
        "in",
        "on",
        "",
        "is",
        "are",
        "that",
        "which",
    }
    after_noun = sentence.tag(index - 1) is Tag.NOUN
    if after_noun and ends and not (sentence.word(index) == "set" and sentence.tag(index + 1) is Tag.PREPOSITION):
        return Tag.PLURAL if sentence.word(index).endswith("s") else Tag.NOUN
    return sentence.tag(index)


def _back(sentence: Sentence, index: int) -> Tag:
    """The adjective of "the back legs"."""
    described = sentence.tag(index - 1) in {Tag.DETERMINER, Tag.ADJECTIVE, Tag.NUMBER, Tag.PARTICIPLE}
    if described and sentence.tag(index + 1) in NOMINAL:
        return Tag.ADJECTIVE
    ends = sentence.tag(index - 1) is Tag.ADJECTIVE and sentence.tag(index + 1) in VERBAL  # "an oval back provided"
    return Tag.NOUN if ends else _pairwise(sentence, index)


def _surrounding(sentence: Sentence, index: int) -> Tag:
    """The adjective of "the surrounding buildings"."""
    return Tag.ADJECTIVE if sentence.tag(index - 1) is Tag.DETERMINER else sentence.tag(index)


def _cut(sentence: Sentence, index: int) -> Tag:
    """The participle of "a pear cut into pieces"."""
    return Tag.PARTICIPLE if sentence.word(index + 1) in {"into", "in", "from", "out", "open"} else sentence.tag(index)


def _square(sentence: Sentence, index: int) -> Tag:
    """The noun of "a city square"; but "a square table"."""
    after_noun = sentence.tag(index - 1) in NOMINAL
    goes_on = NOMINAL | {Tag.ADJECTIVE, Tag.GERUND, Tag.PARTICIPLE}
    goes_on = goes_on if after_noun else goes_on | {Tag.COMMA, Tag.CONJUNCTION}
    named = after_noun or sentence.tag(index - 1) is Tag.DETERMINER
    return Tag.NOUN if named and sentence.tag(index + 1) not in goes_on else sentence.tag(index)


def _both(sentence: Sentence, index: int) -> Tag:
    return Tag.ADVERB if sentence.word(index - 1) in _BE else Tag.DETERMINER


def _only(sentence: Sentence, index: int) -> Tag:
    return Tag.ADJECTIVE if sentence.tag(index - 1) is Tag.DETERMINER else Tag.ADVERB


_RULES: Final[dict[str, Callable[[Sentence, int], Tag]]] = {
    "right": _side,
    "left": _side,
    "next": _side,
    "north": _side,
    "south": _side,
    "side": _pairwise,
    "back": _back,
    "surrounding": _surrounding,
    "opposing": _surrounding,
    "cut": _cut,
    "rose": _rose,
    "light": _light,
    "far": _far,
    "square": _square,
    "coral": _square,
    "cream": _square,
    "face": _pairwise,
    "can": _can,
    "set": _compound_head,
    "top": _compound_head,
    "tops": _compound_head,
    "both": _both,
    "only": _only,
    "female": _person,
    "male": _person,
    "elderly": _person,
    "blonde": _person,
    "redhead": _person,
    "brunette": _person,
}
