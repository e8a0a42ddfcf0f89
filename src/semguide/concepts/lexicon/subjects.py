"""Which noun phrases are subject concepts: things that can be pointed at in the picture and are asked for."""

from __future__ import annotations

import re
from collections.abc import Sequence

from semguide.concepts.lexicon import nouns, style_words, words
from semguide.concepts.lexicon.style import styled
from semguide.concepts.lexicon.tagging import NOMINAL, Phrase, Sentence, Tag, is_known
from semguide.concepts.lexicon.tokens import Kind

_NEGATIONS = frozenset({"without", "no", "except", "minus"})
_PLACING = frozenset({"in", "on", "at", "to", "from", "into", "onto", "towards", "toward", "by", "along", "off"})
_DATING = _PLACING | {"during", "before", "after", "until", "since", "for", "this", "of", "throughout"}
_COPULAS = frozenset({"is", "are", "was", "were", "be", "been"})
_SENTENCE_ENDS = frozenset({"", ".", ";", "!", "?"})
_CLAUSE_LENGTH = 40  # words looked back for the beginning of a sentence
_OPENERS = frozenset({Tag.DETERMINER, Tag.NUMBER})
_SIDES = frozenset({"left", "right", "middle", "center", "lower-right", "lower-left", "upper-right", "upper-left"})
_POINTING = frozenset({"the", "this"})
_DECADE = re.compile(r"[\d ]{2,12}s$")  # "the 1960s"
_TAKING = frozenset({"take", "takes", "taking", "took"})
_UNSEEN_TIMES = words.TIMES & {"day", "morning", "evening", "afternoon", "noon", "midnight", "weekend", "week", "year"}
_AREAS = frozenset({"area", "areas", "portion", "portions", "region", "regions", "section", "sections"})
_JOINING = frozenset({Tag.CONJUNCTION, Tag.COMMA})
_BOUNDARIES = frozenset({Tag.COMMA, Tag.OTHER})
_STYLE_ENDS = _BOUNDARIES | {Tag.PREPOSITION, Tag.CONJUNCTION, Tag.ADJECTIVE, Tag.PARTICIPLE, Tag.ADVERB}


def subjects(sentence: Sentence, phrases: Sequence[Phrase]) -> list[Phrase]:
    """The phrases that are subject concepts; left out are the medium, style, place words, time, abstracts, negated."""
    style = styled(sentence)
    kept: list[Phrase] = []
    for phrase in phrases:
        if phrase.head not in style and is_subject(sentence, phrase) and not (kept and _renames(sentence, phrase)):
            kept.append(phrase)
    return kept


def is_subject(sentence: Sentence, phrase: Phrase) -> bool:
    """Whether one phrase, read with the words around it, is a subject concept."""
    head = sentence.word(phrase.head)
    if sentence.tokens[phrase.head].kind is Kind.QUOTED:  # 'the letter "n"', 'the "n"'
        return False
    if head in words.PRONOUNS or (phrase.end == phrase.start + 1 and _is_no_word(sentence, phrase, head)):
        return False
    return not (
        _is_abstract(sentence, phrase, head)
        or _is_colour(sentence, phrase)
        or _is_written(sentence, phrase)
        or _is_negated(sentence, phrase)
        or _is_medium(sentence, phrase, head)
        or _is_style(sentence, phrase, head)
        or _is_spatial(sentence, phrase, head)
        or _is_time(sentence, phrase, head)
    )


def _is_colour(sentence: Sentence, phrase: Phrase) -> bool:
    """Whether a phrase without an article is nothing but colours: "hues of green and gold", "deep purples"."""
    names = [sentence.word(i) for i in range(phrase.start, phrase.end) if sentence.tag(i) not in _JOINING]
    plain = [name if name in words.COLOURS else name.removesuffix("s") for name in names]
    lone = len(names) == 1 and sentence.word(phrase.start - 1) not in {"in", "of", "from", "to"}
    colour = plain[-1] in words.COLOURS - {"orange"}
    return colour and not lone and all(name in words.COLOURS | words.TINTS for name in plain)


def _is_written(sentence: Sentence, phrase: Phrase) -> bool:
    """Whether the phrase is a text that something carries: "a sign that says Welcome Friends"."""
    return sentence.word(phrase.start - 1) in words.WRITING and sentence.tokens[phrase.start].capital


def _is_no_word(sentence: Sentence, phrase: Phrase, head: str) -> bool:
    """Whether a phrase of one word is an abbreviation ("ca."), or a tag of what someone does ("standing")."""
    if len(head) == 1 or (len(head) == 2 and not (is_known(head) or sentence.tokens[phrase.head].capital)):
        return True
    alone = sentence.tag(phrase.start - 1) in _BOUNDARIES and sentence.tag(phrase.end) in _BOUNDARIES
    return alone and head.endswith("ing") and head not in words.TAGS_IN_ING and len(sentence.tokens) > 1


def _is_abstract(sentence: Sentence, phrase: Phrase, head: str) -> bool:
    if head in nouns.KINDS_ONLY:
        return not any(sentence.tag(i) in NOMINAL for i in range(phrase.start, phrase.head))
    if head in nouns.HALF_ABSTRACT:
        return not _is_described(sentence, phrase)
    if head in nouns.ABSTRACT or (head == "place" and sentence.word(phrase.start - 1) in _TAKING):
        return True
    ending = next((ending for ending in nouns.ABSTRACT_ENDINGS if head.endswith(ending)), "")
    return ending != "" and head not in nouns.THINGS_FOR_ALL_THEIR_ENDINGS


def _is_described(sentence: Sentence, phrase: Phrase) -> bool:
    """Whether an adjective, noun or number stands before the noun."""
    inner = range(phrase.start, phrase.head)
    return any(sentence.tag(i) not in {Tag.DETERMINER, Tag.ADVERB, Tag.POSSESSIVE} for i in inner)


def _renames(sentence: Sentence, phrase: Phrase) -> bool:
    """A predicate says what a subject is ("the lake was a relief", "were the only options"): no further subject."""
    before = phrase.start - 1
    while sentence.tag(before) is Tag.ADVERB:
        before -= 1
    if sentence.word(before) in _COPULAS and _is_inverted(sentence, before):
        return False
    return sentence.word(before) in _COPULAS and sentence.word(before - 1) not in words.PRONOUNS


def _is_inverted(sentence: Sentence, copula: int) -> bool:
    """Whether a place opens the sentence, so that its subject follows: "On the table is a vase"."""
    start = copula
    while start > max(0, copula - _CLAUSE_LENGTH) and sentence.word(start - 1) not in _SENTENCE_ENDS:
        start -= 1
    if sentence.tag(start) is Tag.ADVERB and sentence.tag(start + 1) is Tag.PREPOSITION:  # "Just behind the barn are"
        return True
    placing = {Tag.PREPOSITION, Tag.GERUND, Tag.PARTICIPLE, Tag.PAST_VERB}
    return sentence.tag(start) in placing or sentence.word(start) in {"next", "surrounding"}


def _is_negated(sentence: Sentence, phrase: Phrase) -> bool:
    before = sentence.word(phrase.start - 1)
    if sentence.word(phrase.start) == "no" or before in _NEGATIONS | {"not"}:
        return True
    return before == "of" and sentence.word(phrase.start - 2) == "instead"


def _is_medium(sentence: Sentence, phrase: Phrase, head: str) -> bool:
    if head in style_words.PICTURE and phrase.head == phrase.start + 1 and sentence.word(phrase.start) in _POINTING:
        return True
    if any(
        sentence.tag(i) is Tag.POSSESSIVE for i in range(phrase.start, phrase.head)
    ):  # "the wall's artwork features"
        return sentence.word(phrase.end) == "of" and head in style_words.MEDIA
    if head in {"frame", "camera", "view"} and phrase.start == phrase.head:  # "out of frame"
        return sentence.tag(phrase.start - 1) is Tag.PREPOSITION
    close_up = head == "close" and sentence.word(phrase.end) in {"up", "ups"}
    piece = head == "art" and sentence.word(phrase.head - 2) == "piece"  # "a piece of art"
    if close_up or piece or (head in style_words.LONE_MEDIA and _is_whole_segment(sentence, phrase)):
        return True
    return head in style_words.MEDIA and sentence.word(phrase.end) in style_words.SHOWING | {"by"}


def _is_whole_segment(sentence: Sentence, phrase: Phrase) -> bool:
    """Whether a later segment between commas is this phrase and nothing else: ", a character portrait,"."""
    before, after = sentence.word(phrase.start - 1), sentence.word(phrase.end)
    return before == "," and after in {",", "", "."}


def _is_style(sentence: Sentence, phrase: Phrase, head: str) -> bool:
    if head in style_words.NEVER:
        return True
    article = sentence.tag(phrase.start) in {Tag.DETERMINER, Tag.NUMBER}
    if head in style_words.FRAMED and sentence.word(phrase.head - 1) in style_words.FRAMINGS:
        return True
    if article or sentence.tag(phrase.start) is Tag.NUMBER:
        return False
    if head in style_words.LIGHT:
        return _is_lighting(sentence, phrase)
    opens = sentence.tag(phrase.start - 1) in _BOUNDARIES | {Tag.CONJUNCTION, Tag.NUMBER}
    return opens and head in style_words.STYLES and sentence.tag(phrase.end) in _STYLE_ENDS


def _is_lighting(sentence: Sentence, phrase: Phrase) -> bool:
    """Whether a light without an article is a way of lighting: "soft light", "strong rim light"."""
    inner = range(phrase.start, phrase.head)
    if not inner:
        return sentence.word(phrase.start - 1) in style_words.LIGHT_KINDS
    return sentence.word(phrase.head - 1) in style_words.LIGHT_KINDS or all(
        sentence.tag(i) not in NOMINAL for i in inner
    )


def _is_spatial(sentence: Sentence, phrase: Phrase, head: str) -> bool:
    if head in {"place", "places", "area", "areas"} and sentence.word(phrase.start) in {"several", "some", "many"}:
        return True
    if head not in words.SPATIAL | _AREAS:
        return False
    inner = range(phrase.start, phrase.head)
    if head in _SIDES and len(inner) == 1 and sentence.tag(phrase.start) is Tag.DETERMINER:
        return True
    if (not inner and head not in _AREAS) or (
        head in {"background", "foreground", "backdrop"}
        and len(inner) == 1
        and sentence.tag(phrase.start) is Tag.DETERMINER
    ):
        return True
    plain = all(
        sentence.word(i) in words.SPATIAL_MODIFIERS | words.SPATIAL or sentence.tag(i) in _OPENERS | _JOINING
        for i in inner
    )
    if any(sentence.word(i) in words.SPATIAL for i in inner):  # "the top-left and center areas"
        return plain
    placed = sentence.word(phrase.start - 1) in _PLACING or sentence.word(phrase.end) == "of"
    return plain and placed and head not in _AREAS


def _is_time(sentence: Sentence, phrase: Phrase, head: str) -> bool:
    alone = sentence.tag(phrase.start - 1) in _BOUNDARIES and sentence.tag(phrase.end) in _BOUNDARIES
    bare = all(sentence.tag(i) is Tag.ADJECTIVE for i in range(phrase.start, phrase.head))
    if head in words.TIMES and bare and alone:  # ", late evening,"
        return True
    if head in {"today", "tomorrow", "yesterday", "tonight"} or _DECADE.match(head):
        return True
    if head in _UNSEEN_TIMES and phrase.end == phrase.head + 1:  # "enjoying a sunny day"
        return True
    if head in {"year", "circa"} and sentence.tag(phrase.end) is Tag.NUMBER:  # "year 1950"
        return True
    is_time = head in words.TIMES or (head in words.SCENIC_TIMES and phrase.start == phrase.head)
    return is_time and sentence.word(phrase.start - 1) in _DATING
