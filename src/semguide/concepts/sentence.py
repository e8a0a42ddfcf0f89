"""A prompt's tokens with their word classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from semguide.concepts.tagging import Tag
from semguide.concepts.tokens import Token


@dataclass(frozen=True, slots=True)
class Phrase:
    """A noun phrase as token indices: `start` to `end` (excluded), `head` the index of its noun."""

    start: int
    end: int
    head: int
    partitive: bool = False


@dataclass(frozen=True, slots=True)
class Sentence:
    """The tokens of a prompt with their classes; reading past either end gives an empty word of class OTHER."""

    tokens: Sequence[Token]
    tags: Sequence[Tag]

    def tag(self, index: int) -> Tag:
        """The class at `index`."""
        return self.tags[index] if 0 <= index < len(self.tags) else Tag.OTHER

    def word(self, index: int) -> str:
        """The lower-case word at `index`."""
        return self.tokens[index].word if 0 <= index < len(self.tokens) else ""
