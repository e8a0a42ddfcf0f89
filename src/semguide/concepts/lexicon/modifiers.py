"""What stands before a noun and belongs to it: adjectives, participles, colours, and what joins them."""

from __future__ import annotations

from semguide.concepts.lexicon import words
from semguide.concepts.lexicon.tagging import NOMINAL, Sentence, Tag

MODIFIERS = frozenset({Tag.ADJECTIVE, Tag.PARTICIPLE, Tag.GERUND, Tag.PAST_VERB})
BARE_VERBS = frozenset({Tag.PARTICIPLE, Tag.GERUND, Tag.PAST_VERB})
HEADLESS = frozenset({"other", "same", "next", "first", "last", "only", "such", "more", "most"})
_BEFORE_LIST = frozenset({Tag.COMMA, Tag.DETERMINER})
_MOST_MODIFIERS = 16  # of one noun; keeps the time linear in the length of the prompt


def skip_modifiers(sentence: Sentence, index: int, opened: bool) -> int:
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
        return 1 + _joined_modifier(sentence, index + 1, False)
    if tag is Tag.ADVERB and following in MODIFIERS:
        return 1
    if tag is Tag.NOUN and (length := _noun_modifier_length(sentence, index)):
        return length
    if not _is_verbal_modifier(sentence, index) or not (described or tag in BARE_VERBS):
        return 0
    return 1 + _joined_modifier(sentence, index + 1, described)


def _noun_modifier_length(sentence: Sentence, index: int) -> int:
    """The length of a modifier that begins with a noun: "gold framed, round", "ruby red, round"."""
    word, following = sentence.word(index), sentence.tag(index + 1)
    if following is Tag.PARTICIPLE and word in words.COLOURS | words.MATERIALS:
        return 3 * int(sentence.tag(index + 2) is Tag.COMMA and reaches_noun(sentence, index + 3))
    shade = word in words.SHADES and sentence.word(index + 1) in words.COLOURS
    return int(shade and reaches_noun(sentence, index + 1))


def _is_verbal_modifier(sentence: Sentence, index: int) -> bool:
    """Whether a verb modifies a noun after it: "a stop sign", "a crying baby", but not "the stand display the cups"."""
    tag, following = sentence.tag(index), sentence.tag(index + 1)
    if tag is Tag.BASE_VERB:
        return following in NOMINAL | {Tag.ADJECTIVE} and sentence.tag(index + 2) is not Tag.DETERMINER
    if tag in {Tag.GERUND, Tag.PARTICIPLE} and sentence.word(index + 1) == "and":  # "torn and faded flags"
        two = sentence.tag(index + 2) in {Tag.ADJECTIVE, Tag.PARTICIPLE} and sentence.tag(index - 1) is not Tag.ADVERB
        return two and reaches_noun(sentence, index + 2)
    if tag in {Tag.GERUND, Tag.PARTICIPLE} and following is Tag.COMMA and sentence.tag(index - 1) in _BEFORE_LIST:
        return sentence.tag(index + 2) in {Tag.ADJECTIVE, Tag.PARTICIPLE} and reaches_noun(
            sentence, index + 2
        )  # "a new, shining, red car"
    if tag in {Tag.GERUND, Tag.PARTICIPLE, Tag.PAST_VERB}:
        return following in NOMINAL | MODIFIERS | {Tag.BASE_VERB, Tag.S_VERB}
    return False


def _joined_modifier(sentence: Sentence, index: int, described: bool) -> int:
    """How many marks join two modifiers of one noun at `index`: 1 in "black and white cat", else 0 or 2."""
    tag, after, before = sentence.tag(index), index + 1, sentence.word(index - 1)
    if tag is Tag.COMMA and before == "other":  # "the other, smaller leaves"
        return int(sentence.tag(after) is Tag.ADJECTIVE and sentence.tag(after + 1) in NOMINAL)
    if tag not in {Tag.CONJUNCTION, Tag.COMMA} or before in HEADLESS:
        return 0
    if tag is Tag.COMMA and sentence.tag(after) is Tag.CONJUNCTION and before in words.COLOURS:  # "black, and red cups"
        return 2 * int(sentence.word(after + 1) in words.COLOURS and reaches_noun(sentence, after + 1))
    joins = {Tag.ADJECTIVE, Tag.PARTICIPLE}
    if described and before != "orange":  # a determiner needs its noun: "the sharp, steel blades"
        joins |= {Tag.GERUND, Tag.PAST_VERB} | (NOMINAL if tag is Tag.COMMA else frozenset())
    is_modifier = sentence.tag(after) in joins or sentence.word(after) in words.COLOURS
    return int(is_modifier and reaches_noun(sentence, after))


def reaches_noun(sentence: Sentence, index: int) -> bool:
    """Whether nothing but modifiers stands from `index` to the next noun."""
    for ahead in range(index, index + 2 * _MOST_MODIFIERS):
        if sentence.tag(ahead) not in MODIFIERS | {Tag.CONJUNCTION, Tag.COMMA, Tag.ADVERB}:
            return sentence.tag(ahead) in NOMINAL | {Tag.S_VERB}
    return False
