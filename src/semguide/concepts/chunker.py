"""Noun phrases over tagged tokens: a small grammar, read left to right.

    phrase   = [determiner | number]... modifier... noun...  (["'s" modifier... noun...])...  [of bare-phrase]
    modifier = adjective | participle | adverb before one of them | modifier ("and" | ",") modifier

A verb or unknown word after a determiner or adjective is read as a noun ("a glasses", "a teddy bear").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from semguide.concepts import words
from semguide.concepts.tagging import NOMINAL, VERBAL, Tag
from semguide.concepts.tokens import Token

_MODIFIERS = frozenset({Tag.ADJECTIVE, Tag.PARTICIPLE, Tag.GERUND, Tag.PAST_VERB})
_STARTS = frozenset({Tag.DETERMINER, Tag.NUMBER, Tag.ADJECTIVE}) | NOMINAL
_OPENERS = frozenset({Tag.DETERMINER, Tag.NUMBER})
_AFTER_VERB = frozenset({Tag.DETERMINER, Tag.PREPOSITION, Tag.ADVERB})
_HEADLESS = frozenset({"other", "same", "next", "first", "last", "only", "such", "more", "most"})
_BARE_VERBS = {Tag.PARTICIPLE: frozenset({"", "and", ",", "with", "of"}), Tag.GERUND: frozenset({"", "with"})}


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


def find_phrases(sentence: Sentence) -> list[Phrase]:
    """All noun phrases of a sentence, in order, without overlap; "of" joins a container or partitive to its content."""
    phrases: list[Phrase] = []
    index = 0
    while index < len(sentence.tokens):
        phrase = _phrase_at(sentence, index)
        if phrase is not None:
            phrases.append(phrase)
        index = phrase.end if phrase else index + 1
    return _join_contents(sentence, phrases)


def _phrase_at(sentence: Sentence, start: int) -> Phrase | None:
    if not _can_start(sentence, start):
        return None
    index = start
    while sentence.tag(index) in _OPENERS:
        index += 1
    opened = index > start
    index = _skip_modifiers(sentence, index, opened)
    head = _last_noun(sentence, start, index, opened)
    if head is None:
        return None
    while sentence.tag(head + 1) is Tag.POSSESSIVE:
        modified = _skip_modifiers(sentence, head + 2, opened=True)
        owned = _last_noun(sentence, start, modified, opened=True) if modified > 0 else None
        if owned is None or owned <= head + 1:
            break
        head = owned
    return Phrase(start, head + 1, head)


def _can_start(sentence: Sentence, index: int) -> bool:
    tag, word, before = sentence.tag(index), sentence.word(index), sentence.word(index - 1)
    if tag in _BARE_VERBS:
        return before in _BARE_VERBS[tag] and sentence.tag(index + 1) in NOMINAL | {Tag.ADJECTIVE}
    if word == "next" and sentence.word(index + 1) == "to":
        return False
    if tag in NOMINAL and before == "to" and _is_infinitive(sentence, index):
        return False
    return tag in _STARTS


def _is_infinitive(sentence: Sentence, index: int) -> bool:
    return sentence.tag(index + 1) is Tag.DETERMINER or sentence.word(index + 1) in words.PRONOUNS


def _skip_modifiers(sentence: Sentence, index: int, opened: bool) -> int:
    """The index of the first token from `index` on that modifies no noun after it."""
    described = opened
    while True:
        step = _modifier_length(sentence, index, described)
        if step == 0:
            return index
        index, described = index + step, True


def _modifier_length(sentence: Sentence, index: int, described: bool) -> int:
    tag, following = sentence.tag(index), sentence.tag(index + 1)
    if tag is Tag.ADJECTIVE:
        return 1 + _joined_modifier(sentence, index + 1)
    if tag is Tag.NOUN and sentence.word(index) in words.COLOURS and _joined_modifier(sentence, index + 1):
        return 2
    if tag is Tag.ADVERB and following in _MODIFIERS:
        return 1
    is_modifier = tag in VERBAL and following in NOMINAL | _MODIFIERS and not _is_noun_use(sentence, index)
    if is_modifier and (described or tag in _BARE_VERBS):
        return 1 + _joined_modifier(sentence, index + 1)
    return 0


def _is_noun_use(sentence: Sentence, index: int) -> bool:
    """A base or -s verb in front of a verb is the noun: "a stop is", but "a stop sign"."""
    return sentence.tag(index) is Tag.S_VERB or sentence.tag(index + 1) in VERBAL - _MODIFIERS


def _joined_modifier(sentence: Sentence, index: int) -> int:
    """1 if a conjunction or comma at `index` joins two modifiers of one noun ("black and white cat"), else 0."""
    after = index + 1
    if sentence.tag(index) not in {Tag.CONJUNCTION, Tag.COMMA}:
        return 0
    if sentence.tag(index) is Tag.COMMA and sentence.word(after) in {"and", "or"}:
        return 0
    is_modifier = sentence.tag(after) in {Tag.ADJECTIVE, Tag.PARTICIPLE} or sentence.word(after) in words.COLOURS
    return int(is_modifier and _reaches_noun(sentence, after))


def _reaches_noun(sentence: Sentence, index: int) -> bool:
    while sentence.tag(index) in _MODIFIERS or sentence.tag(index) in {Tag.CONJUNCTION, Tag.COMMA, Tag.ADVERB}:
        index += 1
    return sentence.tag(index) in NOMINAL


def _last_noun(sentence: Sentence, start: int, index: int, opened: bool) -> int | None:
    """The head of the phrase whose nouns begin at `index`, or None where there is none."""
    first = index
    while _continues(sentence, start, first, index):
        index += 1
    if index > first:
        return index - 1
    return _headless(sentence, start, first, opened)


def _continues(sentence: Sentence, start: int, first: int, index: int) -> bool:
    tag = sentence.tag(index)
    if tag in NOMINAL:
        return index == first or not _is_verb_use(sentence, start, index)
    if index == first:
        return False
    if tag is Tag.ADJECTIVE:  # "rubber sole shoes", but not "a glass full of water"
        return sentence.tag(index + 1) in NOMINAL and sentence.tag(index - 1) is Tag.NOUN
    if tag is Tag.BASE_VERB:  # after a singular noun only the -s form is a verb: "teddy bear"
        return sentence.tag(index - 1) is Tag.NOUN and not _is_infinitive(sentence, index)
    return tag is Tag.S_VERB and not _is_verb_use(sentence, start, index)


def _is_verb_use(sentence: Sentence, start: int, index: int) -> bool:
    """Whether a word in -s after a singular noun is its verb: "a dog barks at", "the man paints a picture"."""
    if sentence.tag(index) is Tag.NOUN or sentence.tag(index - 1) is Tag.PLURAL:
        return sentence.tag(index) is not Tag.NOUN
    following = sentence.tag(index + 1)
    if sentence.tag(index) is Tag.S_VERB:
        return sentence.tag(start) is Tag.DETERMINER or following is Tag.DETERMINER
    if sentence.word(start) in words.SINGULAR:
        return following in _AFTER_VERB or sentence.word(index + 1) in words.PRONOUNS
    return following is Tag.DETERMINER and sentence.tag(start) is Tag.DETERMINER


def _headless(sentence: Sentence, start: int, index: int, opened: bool) -> int | None:
    """A verb, adjective or unknown word in the place of the noun: "a glasses", "an orange", "a remote"."""
    if not opened:
        return None
    if sentence.tag(index) in VERBAL | {Tag.ADVERB} and not sentence.word(index) in words.ADVERBS:
        return index
    last = index - 1
    if last < start or sentence.tag(last) in _OPENERS | {Tag.POSSESSIVE} or sentence.word(last) in _HEADLESS:
        return None
    return None if sentence.word(last) in words.COLOURS - {"orange"} else last


def _join_contents(sentence: Sentence, phrases: Sequence[Phrase]) -> list[Phrase]:
    joined: list[Phrase] = []
    for phrase in phrases:
        owner = joined[-1] if joined else None
        if owner is not None and _holds(sentence, owner, phrase):
            partitive = sentence.word(owner.head) in words.PARTITIVES
            joined[-1] = Phrase(owner.start, phrase.end, phrase.head if partitive else owner.head, partitive)
        else:
            joined.append(phrase)
    return joined


def _holds(sentence: Sentence, owner: Phrase, content: Phrase) -> bool:
    if content.start != owner.end + 1 or sentence.word(owner.end) != "of":
        return False
    bare = sentence.tag(content.start) is not Tag.DETERMINER
    return bare and sentence.word(owner.end - 1) in words.PARTITIVES | words.CONTAINERS
