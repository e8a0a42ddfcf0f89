"""Where the nouns of a phrase end, and whether a noun-like word after them is the verb."""

from __future__ import annotations

from semguide.concepts.lexicon import nouns, words
from semguide.concepts.lexicon.modifiers import HEADLESS, MODIFIERS
from semguide.concepts.lexicon.tagging import (
    NOMINAL,
    VERBAL,
    Sentence,
    Tag,
    counted_noun,
    is_given_name,
    is_known,
    is_name,
)

OPENERS = frozenset({Tag.DETERMINER, Tag.NUMBER})
AFTER_VERB = frozenset({Tag.DETERMINER, Tag.PREPOSITION, Tag.ADVERB})
ACTIONS = words.ACTIONS | words.ACTIONS_IN_S | {f"{action}s" for action in words.ACTIONS}


def last_noun(sentence: Sentence, start: int, index: int, opened: bool) -> int | None:
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
        side = sentence.word(index - 1) in {"left", "right"} and following is Tag.DETERMINER  # "the left presents a"
        return tag in NOMINAL and not side and not _is_verb_of_pronoun(sentence, index)
    if tag in NOMINAL | {Tag.BASE_VERB, Tag.S_VERB}:
        return not counted_noun(sentence.word(index)) and not _is_verb_use(sentence, start, index)
    if tag is Tag.ADJECTIVE:
        return _is_inner_adjective(sentence, start, index)
    if tag is Tag.GERUND:  # "plastic measuring cup"
        return sentence.word(index - 1) in words.MATERIALS and following in NOMINAL
    word = sentence.word(index)
    compound = tag is Tag.PARTICIPLE and sentence.tag(index - 1) is Tag.NOUN and not is_known(word)
    return (compound or word in words.COMPOUND_PARTICIPLES) and following in NOMINAL | {Tag.ADJECTIVE}


def _is_inner_adjective(sentence: Sentence, start: int, index: int) -> bool:
    """Whether an adjective after a noun belongs to its phrase: "rubber sole shoes", but not "a glass full of water"."""
    following, before = sentence.tag(index + 1), sentence.word(index - 1)
    if sentence.word(index) == "orange" and before in words.COLOURS:  # "a gold orange"
        alone = following is not Tag.CONJUNCTION or sentence.tag(index + 2) in OPENERS
        return alone and following not in NOMINAL | MODIFIERS
    named = index == start + 1 and is_name(sentence.tokens[start]) and is_given_name(before)
    if named and sentence.word(index) in words.COLOURS:  # "claudia black"
        return following in {Tag.COMMA, Tag.OTHER}
    owned = sentence.tag(start) is Tag.DETERMINER and sentence.word(index + 1) in nouns.PARTS  # "the cats short fur"
    return following in NOMINAL and (sentence.tag(index - 1) is Tag.NOUN or owned)


def _is_verb_of_pronoun(sentence: Sentence, index: int) -> bool:
    """Whether a word in -s is the verb of "one" or "the other": "one wears a cap"."""
    one = sentence.word(index - 1) == "one" or (
        sentence.word(index - 1) == "other" and sentence.tag(index + 1) is Tag.DETERMINER
    )
    return one and sentence.tag(index) is Tag.PLURAL


def _is_verb_use(sentence: Sentence, start: int, index: int) -> bool:
    """Whether a noun-like word after a noun is the verb: "a dog barks at", "the lamp and desk display the cup"."""
    tag, following, after = sentence.tag(index), sentence.tag(index + 1), sentence.word(index + 1)
    counts = following is Tag.NUMBER and tag in {Tag.PLURAL, Tag.S_VERB}  # "the tower features two clocks"
    if following is Tag.DETERMINER or after in words.OBJECTS or counts:
        return True  # two noun phrases do not stand side by side
    is_base = tag in {Tag.NOUN, Tag.BASE_VERB}
    plural, several = sentence.tag(index - 1) is Tag.PLURAL, sentence.word(start - 1) == "and"
    if is_base and sentence.word(start) in words.SINGULAR and not several:
        return False  # after one thing a verb has its -s: "a balloon ride"
    is_followed = (following in AFTER_VERB and after != "of") or after == "as"
    casts = following is Tag.COMMA and sentence.tag(index + 2) is Tag.GERUND  # "sunlight streams, casting"
    casts = casts and (plural or sentence.word(index).endswith("s"))
    if sentence.word(index) in ACTIONS and (is_followed or casts):
        return True
    if is_base:  # "narrow tree trunks poke up", but "a sports car in"
        several = several or (sentence.word(start - 1) == "of" and sentence.tag(start - 2) is Tag.PLURAL)
        verb = plural or following is Tag.ADVERB or (several and (is_followed or following in NOMINAL))
        noun = plural and is_followed and sentence.word(index - 1) not in words.PLURAL_MODIFIERS
        return verb if tag is Tag.BASE_VERB else noun
    return (tag is Tag.S_VERB and is_followed) or (not plural and _is_s_form(sentence, start, index))


def _is_s_form(sentence: Sentence, start: int, index: int) -> bool:
    """Whether a word in -s is the verb of the singular noun before it: "a dog leaves", "a man paints on"."""
    if sentence.tag(index) is Tag.S_VERB:
        return sentence.tag(start) is not Tag.NUMBER
    return sentence.word(start) in words.SINGULAR and sentence.tag(index + 1) in AFTER_VERB | {Tag.ADJECTIVE}


def _headless(sentence: Sentence, start: int, index: int, opened: bool) -> int | None:
    """A verb, adjective or unknown word in the place of the noun: "a glasses", "an orange", "a remote"."""
    if index > start and _is_verb_for_noun(sentence, index):
        return index
    if not opened:
        return None
    last = index - 1
    if sentence.word(index) == "one" and last > start:  # "a loved one"
        return index
    if _lacks_noun(sentence, start, last):
        return None
    if sentence.tag(index) in VERBAL | {Tag.ADVERB} and not _is_passive(sentence, index):
        return index if sentence.word(index) not in words.ADVERBS | HEADLESS else None
    return last if last >= start and _is_noun_in_place(sentence, start, last) else None


def _lacks_noun(sentence: Sentence, start: int, last: int) -> bool:
    """Whether the noun is left out: "both engraved with flowers", "each neatly cut", "a highly detailed, old"."""
    if sentence.tag(last + 1) is Tag.PARTICIPLE and sentence.tag(last) is Tag.ADVERB:
        return True
    if sentence.word(last) in {"one", "other"} and sentence.tag(last + 1) in VERBAL | {Tag.PLURAL}:
        return True  # "one wears a cap", "the other rests", "the one flying higher"
    quantity = any(
        sentence.word(i) in {"both", "all", "each", "several", "some", "few"} for i in range(start, last + 1)
    )
    return quantity or (last > start and sentence.tag(last - 1) is Tag.ADVERB)


def _is_verb_for_noun(sentence: Sentence, index: int) -> bool:
    """Whether a verb after a modifier is the noun: "metallic stand", "neatly trimmed bristles"."""
    if sentence.tag(index) is Tag.S_VERB:
        return sentence.tag(index - 1) in MODIFIERS and sentence.tag(index + 1) is not Tag.DETERMINER
    return sentence.tag(index) is Tag.BASE_VERB


def _is_passive(sentence: Sentence, index: int) -> bool:
    described = sentence.tag(index - 1) is Tag.ADJECTIVE
    return described and sentence.tag(index) is Tag.PARTICIPLE and sentence.word(index + 1) == "by"


def _is_noun_in_place(sentence: Sentence, start: int, index: int) -> bool:
    """Whether the last word of a phrase without a noun can be it: "an orange", not "the red" or "the tallest"."""
    word = sentence.word(index)
    if sentence.tag(index) in OPENERS | {Tag.POSSESSIVE} or word in HEADLESS:
        return False
    if sentence.tag(index + 1) is Tag.COMMA and sentence.tag(index + 2) is Tag.ADVERB:  # "a calm, almost silent pond"
        return False
    if word in words.COLOURS:
        return word == "orange"
    return sentence.word(start) != "one" and not word.endswith("est")  # "one full and one empty"
