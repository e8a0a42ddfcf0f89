"""Where a phrase stands in a prompt, and what it consists of."""

from __future__ import annotations

import re

from semguide.concepts.chunker import find_phrases
from semguide.concepts.context import read_in_context
from semguide.concepts.describe import to_concept
from semguide.concepts.sentence import Phrase, Sentence
from semguide.concepts.tagging import Tag, tag
from semguide.concepts.tokens import Kind, tokenize
from semguide.types import Concept


def locate(prompt: str, phrase: str, start: int = 0) -> tuple[int, int] | None:
    """The span of the first whole-word occurrence of `phrase` at or after `start`, ignoring case and width of spaces.

    Returns:
        Start and end offsets in `prompt`, or None where the phrase does not occur.
    """
    pattern = r"\s+".join(re.escape(word) for word in phrase.split())
    if not pattern:
        return None
    match = re.compile(rf"(?<!\w){pattern}(?!\w)", re.IGNORECASE).search(prompt, start)
    return match.span() if match else None


def describe(text: str, span: tuple[int, int] | None) -> Concept:
    """The concept of a phrase given as text: head, attributes and count as far as the lexicon reads them.

    A phrase that the lexicon cannot read (another language, an emoji) keeps an empty head and no attributes.
    """
    tokens = tokenize(text)
    sentence = read_in_context(Sentence(tokens, tag(tokens)))
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
