"""Which words of a prompt say how the picture is made, not what it shows: medium, style, quality, camera, artists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from semguide.concepts.lexicon import style_words as words
from semguide.concepts.lexicon.tagging import (
    NOMINAL,
    VERBAL,
    Sentence,
    Tag,
    counted_noun,
    is_embedding,
    is_given_name,
    is_known,
    is_name,
)
from semguide.concepts.lexicon.tokens import Kind

_MARKS: Final = frozenset({Kind.MARK, Kind.WEIGHT})
_MOST_NAMES: Final = 5  # words of one artist
_MOST_LISTED: Final = 40  # words of artists that nothing separates
_MOSTLY: Final = 0.8  # share of names in those
_MEASURE: Final = re.compile(r"\d[\d., ]*(?:mm|fps|dpi|k|bit|iso)$")  # of a lens, camera or file
_POSE_LENGTH: Final = 4  # words of a tag of a pose, at most
_TAG_LENGTH: Final = 4.0  # mean words between commas of a prompt of tags, at most
_TAGS_READ: Final = 40  # tokens in which a counted tag is looked for
_TAG_ARTICLES: Final = 0.1  # share of articles in one, at most
_NO_PREFIX: Final = frozenset({Tag.DETERMINER, Tag.PREPOSITION, Tag.BASE_VERB, Tag.S_VERB})
_TAKEN: Final = frozenset((made, by) for made in words.MADE for by in ("with", "on", "using"))  # "taken with a Leica"
Span = tuple[int, int]


def segments(sentence: Sentence) -> Iterator[Span]:
    """The stretches of words between marks, as token indices (end excluded)."""
    start = 0
    for index, token in enumerate([*sentence.tokens, None]):
        if token is None or token.kind in _MARKS:
            if index > start:
                yield start, index
            start = index + 1


def is_tag_list(sentence: Sentence) -> bool:
    """Whether the prompt is a list of tags: many commas, few words between them, hardly an article."""
    commas = sum(tag is Tag.COMMA for tag in sentence.tags)
    names = sum(token.kind is Kind.WORD for token in sentence.tokens)
    articles = sum(token.word in {"a", "an", "the"} for token in sentence.tokens)
    listed = any(sentence.tag(i) is Tag.COMMA and sentence.word(i + 1) in {"and", "or"} for i in range(names))
    return commas >= 2 and not listed and names <= _TAG_LENGTH * (commas + 1) and articles <= _TAG_ARTICLES * names


def styled(sentence: Sentence) -> frozenset[int]:
    """The indices of the tokens that speak of medium, style, quality, camera or artist."""
    found: set[int] = set()
    stretches = list(segments(sentence))
    for order, (start, end) in enumerate(stretches):
        found.update(range(start, _prefix_end(sentence, start, end)))
        if _is_style_segment(sentence, start, end, order == 0, bool(found)):
            found.update(range(start, end))
    for start, end in _artists(sentence):
        found.update(range(start, end))
    return frozenset(found)


def _prefix_end(sentence: Sentence, start: int, end: int) -> int:
    """The end of a medium that opens a segment: "award winning wildlife photo of", "rendering by a studio of"."""
    for index in range(start, end):
        if sentence.word(index) in words.MEDIA or (start == 0 and sentence.word(index) in words.PRINTS):
            following = index + 1
            if sentence.word(following) == "by":
                following = next((i for i in range(following, end) if sentence.word(i) == "of"), following)
            if sentence.word(following) in words.SHOWING:
                return following + 1
        elif index > start and sentence.tag(index) in _NO_PREFIX:
            break
    return start


def _is_style_segment(sentence: Sentence, start: int, end: int, first: bool, styled_before: bool) -> bool:
    names = tuple(sentence.word(i) for i in range(start, end))
    if any(names[-length:] in words.PHRASES for length in (1, 2, 3) if _is_bare(sentence, start, end - length)):
        return True
    tags = {sentence.tag(i) for i in range(start, end)}
    if not first and names[0] in words.MADE and sentence.tag(start + 1) is Tag.PREPOSITION:  # "shot on a Leica"
        return "by" not in names[1:2]
    taken = first and names[0] in words.MEDIA and names[1:3] in _TAKEN and end < len(sentence.tokens)
    medium = names[-2:-1] == ("on",) and names[-1] in words.GROUNDS and bool(words.MEDIA.intersection(names[:-2]))
    inverted = not first and len(names) == 1 and is_embedding(names[0])  # alone it is of a style
    trending = names[0] in words.TRENDING and names[1:2] in {("on",), ("in",)}  # "trending on pixiv"
    posed = names[0] in words.POSES and Tag.DETERMINER not in tags and len(names) <= _POSE_LENGTH
    if taken or inverted or trending or posed or (medium and not first):
        return True
    if tags & {Tag.DETERMINER, Tag.PREPOSITION}:
        return False
    if names[-1] == "inspired" or (_is_all_marks(sentence, names, end) if first else _is_marked(names)):
        return True
    return styled_before and _is_name_list(sentence, start, end)


def _is_all_marks(sentence: Sentence, names: tuple[str, ...], end: int) -> bool:
    """Whether a first segment is nothing but words of style and numbers: "kodak portra 400, a lamp"."""
    marks = (name in words.MARKERS or name.isdigit() or _MEASURE.match(name) for name in names)
    return end < len(sentence.tokens) and all(marks)


def _is_marked(names: tuple[str, ...]) -> bool:
    """Whether a later segment without an article tells of an engine, camera, artist, work or genre."""
    thing = names[0] in {"2d", "3d"} and len(names) > 1 and names[-1] not in words.STYLES | words.MARKERS
    if (words.MARKERS.intersection(names) and not thing) or any(_MEASURE.match(name) for name in names):
        return True
    if len(names) > 1 and names[0] == "studio" and not is_known(names[1]):  # "studio ghibli"
        return True
    if names in words.WORKS or (len(names) <= _MOST_NAMES and words.ARTISTS.intersection(names)):
        return True
    return len(names) == 1 and (names[0] in words.GENRES or names[0].endswith(words.GENRE_ENDINGS))


def _is_bare(sentence: Sentence, start: int, end: int) -> bool:
    """Whether nothing or adjectives alone stand from `start` to `end`."""
    return end >= start and all(sentence.tag(i) in {Tag.ADJECTIVE, Tag.ADVERB} for i in range(start, end))


def _is_name_list(sentence: Sentence, start: int, end: int) -> bool:
    """Whether a segment is nothing but words that the lexicon does not have: artists at the end of a prompt.

    Among tags that count ("1girl") such words are characters and garments.
    """
    if any(counted_noun(token.word) for token in sentence.tokens[:_TAGS_READ]):
        return False
    tokens = sentence.tokens[start:end]
    return len(tokens) > 1 and all(token.kind is Kind.WORD and not is_known(token.word) for token in tokens)


def _artists(sentence: Sentence) -> Iterator[Span]:
    """The names after "by", "in the style of" and "inspired by", with the list that goes on from them."""
    past = 0
    for index in range(len(sentence.tokens)):
        if index < past:
            continue
        begin = _names_begin(sentence, index)
        if begin is None:
            continue
        past = _names_end(sentence, begin)
        yield index, past
        while (following := _next_name(sentence, past)) is not None:
            yield following
            past = following[1]


def _names_begin(sentence: Sentence, index: int) -> int | None:
    """Where the names begin that a "by" or a "style of" at `index` announces."""
    after = index + 1
    if sentence.word(index) in {"style", "styles", "manner"} and sentence.word(after) == "of":
        return after + 1
    if sentence.word(index) != "by" or after >= len(sentence.tokens):
        return None
    maker = sentence.word(index - 1) in words.MADE
    if sentence.tag(after) is Tag.DETERMINER and not (maker and sentence.word(index - 1) == "inspired"):
        run = sentence.tokens[after : _names_end(sentence, after)][: 2 * _MOST_NAMES]
        named = any(token.word in words.MAKERS for token in run) and run[-1].capital
        return after if named else None
    run = sentence.tokens[after : _names_end(sentence, after)][:_MOST_NAMES]
    known = len(run) > 1 and all(is_given_name(token.word) for token in run)  # "by john howe"
    named = known or any(is_name(token) for token in run) or sentence.word(after) == "studio"
    opens = index == 0 or sentence.tokens[index - 1].kind in _MARKS or sentence.word(index - 1) in words.STYLES
    if sentence.tag(index - 1) in VERBAL and not maker:
        return None
    return after if named or opens else None


def _names_end(sentence: Sentence, begin: int) -> int:
    index = begin
    described = sentence.tag(begin) is Tag.DETERMINER  # "inspired by the prints of"
    stops = {Tag.PREPOSITION, Tag.CONJUNCTION, Tag.COMMA, Tag.OTHER, Tag.POSSESSIVE}
    while index < len(sentence.tokens) and (
        sentence.tag(index) not in stops
        or (described and sentence.word(index) == "of")
        or (begin < index and sentence.word(index) == "-" and _is_dashed(sentence, index))
    ):
        index += 1
    return max(index, begin)


def _is_dashed(sentence: Sentence, index: int) -> bool:
    """Whether a dash joins two names: "jean - marie"."""
    around = [sentence.tokens[i] for i in (index - 1, index + 1) if i < len(sentence.tokens)]
    return all(is_name(token) or is_given_name(token.word) for token in around)


def _is_name_after(sentence: Sentence, end: int) -> bool:
    """Whether a list of names goes on after a word: "jock" in "by ann lee and jock and kim vale"."""
    begin = end + 1
    if sentence.tag(end) is not Tag.CONJUNCTION:
        return False
    return any(is_name(token) for token in sentence.tokens[begin : _names_end(sentence, begin)])


def _next_name(sentence: Sentence, past: int) -> Span | None:
    """The next name of a list: "and B", ", C" or "& D", where it looks like a name."""
    if sentence.tag(past) not in {Tag.COMMA, Tag.CONJUNCTION} and sentence.word(past) != ",":
        return None
    start = past + 1
    if sentence.tag(start) is Tag.CONJUNCTION:
        start += 1
    if start >= len(sentence.tokens):
        return None
    end = _names_end(sentence, start)
    if tuple(sentence.word(i) for i in range(start, end)) in words.PHRASES:
        return start, end
    joined = sentence.tag(start - 1) is Tag.CONJUNCTION  # "and android jones"
    run = sentence.tokens[start : end if joined else start + 1]
    if not any(is_name(token) for token in run) and not (joined and _is_name_after(sentence, end)):
        return None
    nouns = all(
        sentence.tag(i) in NOMINAL | {Tag.ADJECTIVE, Tag.NUMBER}
        or is_name(sentence.tokens[i])
        or sentence.word(i) == "-"
        for i in range(start, end)
    )
    named = sum(is_name(token) or is_given_name(token.word) for token in sentence.tokens[start:end])
    most = _MOST_LISTED if named >= _MOSTLY * (end - start) else _MOST_NAMES  # "_ ann _ lee _ tom _ dale _"
    return (start, end) if start < end <= start + most and nouns else None
