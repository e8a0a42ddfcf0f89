"""The offline back end: TextBlob's bundled lexicon for word classes, and the grammar of `chunker`."""

from __future__ import annotations

from dataclasses import dataclass, replace

from semguide.concepts.lexicon import words
from semguide.concepts.lexicon.chunker import find_phrases
from semguide.concepts.lexicon.context import read_in_context
from semguide.concepts.lexicon.describe import to_concept
from semguide.concepts.lexicon.language import is_english
from semguide.concepts.lexicon.modifiers import MODIFIERS
from semguide.concepts.lexicon.parts import wholes
from semguide.concepts.lexicon.style import is_tag_list
from semguide.concepts.lexicon.subjects import subjects
from semguide.concepts.lexicon.tagging import NOMINAL, Sentence, Tag, read_tokens
from semguide.concepts.lexicon.tokens import tokenize
from semguide.concepts.spans import merge_repeats
from semguide.types import Concept

_MOST_DESCRIBED = 6  # words of a tag that its comma does not end


@dataclass(frozen=True)
class LexiconDecomposer:
    """Reads English prompts offline, in well under a millisecond each after the first."""

    def decompose(self, prompt: str) -> list[Concept]:
        """Returns the subject concepts in the order of the prompt; none for a prompt in another language."""
        tokens = tokenize(prompt)
        if not is_english(prompt, tokens):
            return []
        sentence = read_in_context(read_tokens(tokens))
        if is_tag_list(sentence):  # nothing is joined over its commas
            sentence = Sentence(sentence.tokens, [_tag_of_list(sentence, index) for index in range(len(sentence.tags))])
        phrases = find_phrases(sentence)
        belonging = wholes(sentence, phrases)
        concepts = {phrase: to_concept(prompt, sentence, phrase) for phrase in subjects(sentence, phrases)}
        for phrase, whole in belonging.items():
            if phrase in concepts and whole in concepts:
                concepts[phrase] = replace(concepts[phrase], part_of=concepts[whole].text)
        return merge_repeats(list(concepts.values()))


def _tag_of_list(sentence: Sentence, index: int) -> Tag:
    """The class in a prompt of tags, where a comma ends a phrase but after "with gold framed" or "a small"."""
    if sentence.tag(index) is not Tag.COMMA:
        return sentence.tag(index)
    start = index - 1
    while start > index - _MOST_DESCRIBED and (
        sentence.tag(start) in MODIFIERS or sentence.word(start) in words.COLOURS
    ):
        start -= 1
    unfinished = start < index - 1 and sentence.tag(start) in {Tag.DETERMINER, Tag.PREPOSITION}
    goes_on = sentence.tag(index + 1) in NOMINAL | MODIFIERS
    return Tag.COMMA if unfinished and goes_on else Tag.OTHER
