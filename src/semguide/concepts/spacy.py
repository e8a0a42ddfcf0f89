"""The spaCy back end: noun chunks of an English pipeline that the user has installed (extra "spacy")."""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from semguide.concepts.lexicon.context import read_in_context
from semguide.concepts.lexicon.describe import to_concept
from semguide.concepts.lexicon.subjects import subjects
from semguide.concepts.lexicon.tagging import Phrase, read_tokens
from semguide.concepts.lexicon.tokens import Token, tokenize
from semguide.concepts.spans import merge_repeats
from semguide.errors import InvalidArgument, MissingExtra
from semguide.types import Concept

_PIPELINE_VARIABLE = "SEMGUIDE_SPACY_PIPELINE"


@dataclass(frozen=True)
class SpacyDecomposer:
    """Reads prompts with spaCy's parser, and filters the chunks as the lexicon back end does.

    Args:
        pipeline: The name or folder of an installed spaCy pipeline; "" reads SEMGUIDE_SPACY_PIPELINE, and without
            that takes "en_core_web_sm".
        nlp: A loaded pipeline to use instead; None loads `pipeline` at the first prompt.
    """

    pipeline: str = ""
    nlp: Any = field(default=None, compare=False, repr=False)

    def decompose(self, prompt: str) -> list[Concept]:
        """Returns the subject concepts in the order of the prompt.

        Raises:
            MissingExtra: spaCy is not installed.
            InvalidArgument: the pipeline is not installed, or finds no noun chunks because it has no parser.
        """
        name = self.pipeline or os.environ.get(_PIPELINE_VARIABLE, "") or "en_core_web_sm"
        document = (self.nlp or _load(name))(prompt)
        sentence = read_in_context(read_tokens(tokenize(prompt)))
        phrases = _phrases(sentence.tokens, _chunks(document, name))
        return merge_repeats([to_concept(prompt, sentence, phrase) for phrase in subjects(sentence, phrases)])


@lru_cache(maxsize=2)
def _load(name: str) -> Any:
    try:
        spacy: Any = importlib.import_module("spacy")
    except ImportError as error:
        raise MissingExtra("the spaCy back end", "spacy") from error
    try:
        return spacy.load(name)
    except OSError as error:
        remedy = f"run: python -m spacy download {name}"
        raise InvalidArgument("backend.pipeline", "must be an installed spaCy pipeline", name, remedy) from error


def _chunks(document: Any, name: str) -> list[tuple[int, int, int]]:
    """Start and end of each noun chunk, and start of its root, as character offsets; pronouns left out."""
    try:
        found = list(document.noun_chunks)
    except (ValueError, NotImplementedError) as error:  # no parser (E029), or a language without noun chunks
        rule = "must find noun chunks, which takes a parser for them"
        raise InvalidArgument("backend.pipeline", rule, name, "use en_core_web_sm") from error
    return [(c.start_char, c.end_char, c.root.idx) for c in found if c.root.pos_ != "PRON"]


def _phrases(tokens: Sequence[Token], chunks: Sequence[tuple[int, int, int]]) -> list[Phrase]:
    phrases: list[Phrase] = []
    for start, end, root in chunks:
        inside = [i for i, token in enumerate(tokens) if start <= token.start and token.end <= end]
        if inside:
            head = max((i for i in inside if tokens[i].start <= root), default=inside[-1])
            phrases.append(Phrase(inside[0], inside[-1] + 1, head))
    return phrases
