"""Noun phrases over tagged tokens: a small grammar, read left to right.

    phrase   = [determiner | number]... modifier... noun...  (["'s" modifier... noun...])...  [of bare-phrase]
    modifier = adjective | participle | adverb before one of them | modifier ("and" | ",") modifier

A verb or unknown word after a determiner or adjective is read as a noun ("a glasses", "a teddy bear").
"""

from __future__ import annotations

from collections.abc import Sequence

from semguide.concepts.lexicon import words
from semguide.concepts.lexicon.tagging import NOMINAL, VERBAL, Phrase, Sentence, Tag

_MODIFIERS = frozenset({Tag.ADJECTIVE, Tag.PARTICIPLE, Tag.GERUND, Tag.PAST_VERB})
_STARTS = frozenset({Tag.DETERMINER, Tag.NUMBER, Tag.ADJECTIVE}) | NOMINAL
_OPENERS = frozenset({Tag.DETERMINER, Tag.NUMBER})
_AFTER_VERB = frozenset({Tag.DETERMINER, Tag.PREPOSITION, Tag.ADVERB})
_MOST_MODIFIERS = 16  # of one noun; keeps the time linear in the length of the prompt
_HEADLESS = frozenset({"other", "same", "next", "first", "last", "only", "such", "more", "most"})
_BARE_VERBS = {Tag.PARTICIPLE: frozenset({"", "and", ",", "with", "of"}), Tag.GERUND: frozenset({"", "with"})}


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
    tag, before = sentence.tag(index), sentence.word(index - 1)
    if tag in _BARE_VERBS:
        return before in _BARE_VERBS[tag] and sentence.tag(index + 1) in NOMINAL | {Tag.ADJECTIVE}
    if tag in NOMINAL and before == "to" and _is_infinitive(sentence, index):
        return False
    if tag in NOMINAL and before in words.OBJECTS:  # "making it move"
        return False
    if tag in NOMINAL and sentence.tag(index - 1) in VERBAL and sentence.tag(index + 1) is Tag.DETERMINER:
        return False
    if tag in NOMINAL and sentence.tag(index - 1) in NOMINAL:  # its verb: "a dog barks", "the area features a table"
        return False
    return tag in _STARTS


def _is_infinitive(sentence: Sentence, index: int) -> bool:
    return sentence.tag(index + 1) is Tag.DETERMINER or sentence.word(index + 1) in words.PRONOUNS


def _skip_modifiers(sentence: Sentence, index: int, opened: bool) -> int:
    """The index of the first token from `index` on that modifies no noun after it."""
    described = opened
    for _ in range(_MOST_MODIFIERS):
        step = _modifier_length(sentence, index, described)
        if step == 0:
            break
        index, described = index + step, True
    return index


def _modifier_length(sentence: Sentence, index: int, described: bool) -> int:
    tag, following = sentence.tag(index), sentence.tag(index + 1)
    if tag is Tag.ADJECTIVE:
        return 1 + _joined_modifier(sentence, index + 1, described)
    if tag is Tag.NOUN and sentence.word(index) in words.COLOURS and _joined_modifier(sentence, index + 1, False):
        return 2
    if tag is Tag.ADVERB and following in _MODIFIERS:
        return 1
    if not _is_verbal_modifier(sentence, index) or not (described or tag in _BARE_VERBS):
        return 0
    return 1 + _joined_modifier(sentence, index + 1, described)


def _is_verbal_modifier(sentence: Sentence, index: int) -> bool:
    """Whether a verb modifies a noun after it: "a stop sign", "a crying baby", but not "the stand display the cups"."""
    tag, following = sentence.tag(index), sentence.tag(index + 1)
    if tag is Tag.BASE_VERB:
        return following in NOMINAL | {Tag.ADJECTIVE} and sentence.tag(index + 2) is not Tag.DETERMINER
    if tag in {Tag.GERUND, Tag.PARTICIPLE, Tag.PAST_VERB}:
        return following in NOMINAL | _MODIFIERS | {Tag.BASE_VERB}
    return False


def _joined_modifier(sentence: Sentence, index: int, described: bool) -> int:
    """1 if a conjunction or comma at `index` joins two modifiers of one noun ("black and white cat"), else 0."""
    tag, after, before = sentence.tag(index), index + 1, sentence.word(index - 1)
    if tag not in {Tag.CONJUNCTION, Tag.COMMA} or before in _HEADLESS:
        return 0
    joins = {Tag.ADJECTIVE, Tag.PARTICIPLE}
    if described and before != "orange":  # a determiner needs its noun: "the sharp, steel blades"
        joins |= {Tag.GERUND, Tag.PAST_VERB} | (NOMINAL if tag is Tag.COMMA else frozenset())
    is_modifier = sentence.tag(after) in joins or sentence.word(after) in words.COLOURS
    return int(is_modifier and _reaches_noun(sentence, after))


def _reaches_noun(sentence: Sentence, index: int) -> bool:
    for ahead in range(index, index + 2 * _MOST_MODIFIERS):
        if sentence.tag(ahead) not in _MODIFIERS | {Tag.CONJUNCTION, Tag.COMMA, Tag.ADVERB}:
            return sentence.tag(ahead) in NOMINAL
    return False


def _last_noun(sentence: Sentence, start: int, index: int, opened: bool) -> int | None:
    """The head of the phrase whose nouns begin at `index`, or None where there is none."""
    first = index
    while _continues(sentence, start, first, index):
        index += 1
    if index > first:
        return index - 1
    return _headless(sentence, start, first, opened)


def _continues(sentence: Sentence, start: int, first: int, index: int) -> bool:
    tag, following = sentence.tag(index), sentence.tag(index + 1)
    if index == first:
        return tag in NOMINAL
    if tag in NOMINAL | {Tag.BASE_VERB, Tag.S_VERB}:
        return not _is_verb_use(sentence, start, index)
    if tag is Tag.ADJECTIVE:  # "rubber sole shoes", but not "a glass full of water"
        return following in NOMINAL and sentence.tag(index - 1) is Tag.NOUN
    if tag is Tag.GERUND:  # "plastic measuring cup"
        return sentence.word(index - 1) in words.MATERIALS and following in NOMINAL
    return sentence.word(index) in words.COMPOUND_PARTICIPLES and following in NOMINAL  # "a snow covered street"


def _is_verb_use(sentence: Sentence, start: int, index: int) -> bool:
    """Whether a noun-like word after a noun is the verb: "a dog barks at", "the lamp and desk display the cup"."""
    tag, following = sentence.tag(index), sentence.tag(index + 1)
    if following is Tag.DETERMINER or sentence.word(index + 1) in words.OBJECTS:
        return True  # two noun phrases do not stand side by side
    is_base = tag in {Tag.NOUN, Tag.BASE_VERB}
    several = sentence.word(start - 1) == "and"
    if is_base and sentence.word(start) in words.SINGULAR and not several:
        return False  # after one thing a verb has its -s: "a balloon ride"
    if sentence.word(index) in words.ACTIONS and following in _AFTER_VERB:
        return True
    if tag is Tag.BASE_VERB:
        plural = sentence.tag(index - 1) is Tag.PLURAL
        return plural or following in _AFTER_VERB or (several and following in NOMINAL)
    return not is_base and sentence.tag(index - 1) is not Tag.PLURAL and _is_s_form(sentence, start, index)


def _is_s_form(sentence: Sentence, start: int, index: int) -> bool:
    """Whether a word in -s is the verb of the singular noun before it: "a dog leaves", "a man paints on"."""
    if sentence.tag(index) is Tag.S_VERB:
        return sentence.tag(start) is not Tag.NUMBER
    return sentence.word(start) in words.SINGULAR and sentence.tag(index + 1) in _AFTER_VERB | {Tag.ADJECTIVE}


def _headless(sentence: Sentence, start: int, index: int, opened: bool) -> int | None:
    """A verb, adjective or unknown word in the place of the noun: "a glasses", "an orange", "a remote"."""
    if index > start and sentence.tag(index) is Tag.BASE_VERB:  # "metallic stand"
        return index
    if not opened:
        return None
    last = index - 1
    passive = (
        sentence.tag(index) is Tag.PARTICIPLE
        and sentence.word(index + 1) == "by"
        and sentence.tag(last) is Tag.ADJECTIVE
    )
    if sentence.word(index) == "one" and last > start:  # "a loved one"
        return index
    if sentence.tag(index) in VERBAL | {Tag.ADVERB} and not passive:
        return index if sentence.word(index) not in words.ADVERBS | _HEADLESS else None
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
