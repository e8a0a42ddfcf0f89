"""The offline back end: TextBlob's bundled lexicon for word classes, and the grammar of `chunker`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from semguide.concepts.lexicon import words
from semguide.concepts.lexicon.chunker import find_phrases
from semguide.concepts.lexicon.context import read_in_context
from semguide.concepts.lexicon.describe import to_concept
from semguide.concepts.lexicon.subjects import subjects
from semguide.concepts.lexicon.tagging import Sentence, known_share, tag
from semguide.concepts.lexicon.tokens import Kind, Token, tokenize
from semguide.concepts.spans import merge_repeats
from semguide.types import Concept

_ENGLISH = words.DETERMINERS | words.PRONOUNS | words.PREPOSITIONS | words.AUXILIARIES | words.CONJUNCTIONS


@dataclass(frozen=True)
class LexiconDecomposer:
    """Reads English prompts offline, in well under a millisecond each after the first."""

    def decompose(self, prompt: str) -> list[Concept]:
        """Returns the subject concepts in the order of the prompt; none for a prompt in another language."""
        tokens = tokenize(prompt)
        if not _is_english(tokens):
            return []
        sentence = read_in_context(Sentence(tokens, tag(tokens)))
        found = subjects(sentence, find_phrases(sentence))
        return merge_repeats([to_concept(prompt, sentence, phrase) for phrase in found])


def _is_english(tokens: Sequence[Token]) -> bool:
    """False where function words of other languages outnumber English ones and most other words are unknown."""
    names = [token.word for token in tokens if token.kind is Kind.WORD]
    english = sum(name in _ENGLISH for name in names)
    foreign = sum(name in words.FOREIGN for name in names)
    content = [name for name in names if name not in _ENGLISH and name not in words.FOREIGN]
    if not names:
        return False
    return foreign <= english or known_share(content) >= 0.7
