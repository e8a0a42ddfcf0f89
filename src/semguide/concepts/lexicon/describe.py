"""Phrase -> Concept: text, span, head noun, attributes and count."""

from __future__ import annotations

from semguide.concepts.lexicon import words
from semguide.concepts.lexicon.chunker import find_phrases
from semguide.concepts.lexicon.context import read_in_context
from semguide.concepts.lexicon.tagging import Phrase, Sentence, Tag, counted_noun, read_tokens
from semguide.concepts.lexicon.tokens import Kind, tokenize
from semguide.concepts.spans import clean
from semguide.types import Concept

_NOT_ATTRIBUTES = frozenset(
    {Tag.DETERMINER, Tag.NUMBER, Tag.CONJUNCTION, Tag.COMMA, Tag.POSSESSIVE, Tag.PREPOSITION, Tag.ADVERB}
)


def to_concept(prompt: str, sentence: Sentence, phrase: Phrase) -> Concept:
    """The concept of a phrase; its text is `prompt[start:end]` without weights."""
    head = sentence.word(phrase.head)
    start, end = sentence.tokens[phrase.start].start, sentence.tokens[phrase.end - 1].end
    return Concept(
        text=clean(prompt[start:end]),
        span=(start, end),
        head=counted_noun(head) or head,
        attributes=_attributes(sentence, phrase),
        count=_count(sentence, phrase),
    )


def _attributes(sentence: Sentence, phrase: Phrase) -> tuple[str, ...]:
    first = _content_start(sentence, phrase)
    inner = range(first, phrase.head)
    return tuple(sentence.word(i) for i in inner if sentence.tag(i) not in _NOT_ATTRIBUTES)


def _content_start(sentence: Sentence, phrase: Phrase) -> int:
    """For "a piece of fresh cake" the attributes of cake begin after the "of"."""
    if not phrase.partitive:
        return phrase.start
    return max(i for i in range(phrase.start, phrase.head) if sentence.word(i) == "of") + 1


def _count(sentence: Sentence, phrase: Phrase) -> int | None:
    head = sentence.word(phrase.head)
    if noun := counted_noun(head):
        return _number(head.removesuffix(noun))
    if phrase.partitive:
        first = _content_start(sentence, phrase)
        inner = _count_from(sentence, first, phrase.head)
        return inner if inner is not None else _count_of_group(sentence, phrase)
    return _count_from(sentence, phrase.start, phrase.head)


def _count_of_group(sentence: Sentence, phrase: Phrase) -> int | None:
    group = sentence.word(_content_start(sentence, phrase) - 2)
    if group == "couple":
        return 2
    return _count_from(sentence, phrase.start, phrase.head) if group in words.PORTIONS else None


def _count_from(sentence: Sentence, start: int, head: int) -> int | None:
    counted: int | None = None
    for index in range(start, head):
        word, tag = sentence.word(index), sentence.tag(index)
        if tag is Tag.NUMBER:
            return _number(word)
        if tag is not Tag.DETERMINER:
            break
        counted = {"both": 2}.get(word, 1 if word in words.SINGULAR else counted)
    return counted


def _number(word: str) -> int | None:
    if word in words.NUMBERS:
        return words.NUMBERS[word]
    digits = word.replace(",", "")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 6 else None


def describe(text: str, span: tuple[int, int] | None) -> Concept:
    """The concept of a phrase given as text: head, attributes and count as far as the lexicon reads them.

    A phrase that the lexicon cannot read (another language, an emoji) keeps an empty head and no attributes.
    """
    tokens = tokenize(text)
    sentence = read_in_context(read_tokens(tokens))
    phrases = find_phrases(sentence) or _single_word(sentence)
    if not phrases:
        return Concept(text=text, span=span)
    read = to_concept(text, sentence, phrases[0])
    return Concept(text=text, span=span, head=read.head, attributes=read.attributes, count=read.count)


def _single_word(sentence: Sentence) -> list[Phrase]:
    """A lone word is its own head, whatever its class ("skating")."""
    named = [token.kind is Kind.WORD for token in sentence.tokens]
    is_word = named == [True] and sentence.tag(0) is not Tag.DETERMINER
    return [Phrase(0, 1, 0)] if is_word else []
