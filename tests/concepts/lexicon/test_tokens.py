"""Prompts as tokens with exact offsets."""

from __future__ import annotations

import pytest

from semguide.concepts.lexicon.tokens import Kind, tokenize


@pytest.mark.parametrize("ending", ["'s", "’s"])
def test_a_possessive_ending_is_a_token_of_its_own(ending: str) -> None:
    prompt = f"a boy{ending} dog"
    tokens = tokenize(prompt)
    assert [prompt[token.start : token.end] for token in tokens] == ["a", "boy", ending, "dog"]
    assert [token.kind for token in tokens] == [Kind.WORD, Kind.WORD, Kind.POSSESSIVE, Kind.WORD]
