"""Which noun phrases are subject concepts: things that can be pointed at in the picture and are asked for."""

from __future__ import annotations

from collections.abc import Sequence

from semguide.concepts.lexicon import words
from semguide.concepts.lexicon.tagging import Phrase, Sentence, Tag

_NEGATIONS = frozenset({"without", "no", "except", "minus"})
_PLACING = frozenset({"in", "on", "at", "to", "from", "into", "onto", "towards", "toward", "by", "along", "off"})
_DATING = _PLACING | {"during", "before", "after", "until", "since", "for", "this", "of", "throughout"}
_COPULAS = frozenset({"is", "are", "was", "were"})
_BOUNDARIES = frozenset({Tag.COMMA, Tag.OTHER})


def subjects(sentence: Sentence, phrases: Sequence[Phrase]) -> list[Phrase]:
    """The phrases that are subject concepts; left out are the medium, style, place words, time, abstracts, negated."""
    kept: list[Phrase] = []
    before: Phrase | None = None
    for phrase in phrases:
        is_named = _names_artist(sentence, phrase, before) or (before and _renames(sentence, phrase))
        if is_subject(sentence, phrase) and not is_named:
            kept.append(phrase)
        before = phrase
    return kept


def is_subject(sentence: Sentence, phrase: Phrase) -> bool:
    """Whether one phrase, read with the words around it, is a subject concept."""
    head = sentence.word(phrase.head)
    if phrase.end == phrase.start + 1 and len(head) == 1:
        return False
    if _is_abstract(sentence, phrase, head) or head in words.PRONOUNS or _is_negated(sentence, phrase):
        return False
    return not (
        _is_medium(sentence, phrase, head)
        or _is_style(sentence, phrase, head)
        or _is_spatial(sentence, phrase, head)
        or _is_time(sentence, phrase, head)
    )


def _is_abstract(sentence: Sentence, phrase: Phrase, head: str) -> bool:
    if head in words.ABSTRACT or (head.endswith(("ness", "ism")) and head not in words.THINGS_IN_NESS):
        return True
    bare = sentence.tag(phrase.start) is not Tag.DETERMINER
    return bare and head.endswith("ity") and head not in words.PLACES_IN_ITY


def _renames(sentence: Sentence, phrase: Phrase) -> bool:
    """A predicate says what a subject is ("the lake was a relief", "were the only options"): no further subject."""
    before = phrase.start - 1
    while sentence.tag(before) is Tag.ADVERB:
        before -= 1
    return sentence.word(before) in _COPULAS and sentence.word(before - 1) not in words.PRONOUNS


def _is_negated(sentence: Sentence, phrase: Phrase) -> bool:
    before = sentence.word(phrase.start - 1)
    if sentence.word(phrase.start) == "no" or before in _NEGATIONS | {"not"}:
        return True
    return before == "of" and sentence.word(phrase.start - 2) == "instead"


def _is_medium(sentence: Sentence, phrase: Phrase, head: str) -> bool:
    return head in words.MEDIA and sentence.word(phrase.end) in words.SHOWING


def _is_style(sentence: Sentence, phrase: Phrase, head: str) -> bool:
    if head in {"style", "styles", "artstation", "4k", "8k"}:
        return True
    if head not in words.STYLES or sentence.tag(phrase.start) in {Tag.DETERMINER, Tag.NUMBER}:
        return False
    return sentence.tag(phrase.start - 1) in _BOUNDARIES and sentence.tag(phrase.end) in _BOUNDARIES | {
        Tag.PREPOSITION,
        Tag.CONJUNCTION,
    }


def _is_spatial(sentence: Sentence, phrase: Phrase, head: str) -> bool:
    if head not in words.SPATIAL:
        return False
    inner = range(phrase.start, phrase.head)
    if not inner:
        return True
    plain = all(sentence.word(i) in words.SPATIAL_MODIFIERS or sentence.tag(i) is Tag.DETERMINER for i in inner)
    return plain and (sentence.word(phrase.start - 1) in _PLACING or sentence.word(phrase.end) == "of")


def _is_time(sentence: Sentence, phrase: Phrase, head: str) -> bool:
    if head in {"today", "tomorrow", "yesterday", "tonight"}:
        return True
    is_time = head in words.TIMES or (head in words.SCENIC_TIMES and phrase.start == phrase.head)
    return is_time and sentence.word(phrase.start - 1) in _DATING


def _names_artist(sentence: Sentence, phrase: Phrase, before: Phrase | None) -> bool:
    """Whether a phrase names an artist: "Van Gogh" in "in the style of Van Gogh", "Monet" in "digital art by Monet"."""
    if before is None or phrase.start != before.end + 1 or sentence.tag(phrase.start) is Tag.DETERMINER:
        return False
    head, link = sentence.word(before.head), sentence.word(before.end)
    return (head in {"style", "styles"} and link == "of") or (head in words.STYLES and link == "by")
