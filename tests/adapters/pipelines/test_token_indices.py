"""Where words of a prompt are among the tokens."""

from __future__ import annotations

import pytest

from semguide.adapters.pipelines.token_indices import content_places, phrase_places
from support.refusals import refuses
from support.tiny_checkpoint import tiny_tokenizer
from support.zoo.tokenizers import byte_tokenizer

TEXT = "A red cat, and  a dog"


def test_content_is_start_words_and_first_end() -> None:
    assert content_places(tiny_tokenizer(), "a cat", 12) == list(range(6))  # <start> a c a t <end>, then padding
    assert content_places(byte_tokenizer(), "a cat", 12) == list(range(6))  # a, space, c a t, </s>
    assert content_places(tiny_tokenizer(), "a cat", 4) == list(range(4))


@pytest.mark.parametrize("words", ["red cat", "a dog", "A red cat", "cat"])
def test_phrases_are_found_behind_special_tokens(words: str) -> None:
    start = TEXT.index(words)
    for tokenizer in (tiny_tokenizer(), byte_tokenizer()):
        places = phrase_places(tokenizer, TEXT, (start, start + len(words)))
        tokens = tokenizer.convert_ids_to_tokens([tokenizer(TEXT).input_ids[place] for place in places])
        read = "".join(tokens).replace("</w>", "").replace("Ġ", "").lower()  # Ġ is a space
        assert read == words.replace(" ", "").lower()


def test_phrase_without_tokens_is_refused() -> None:
    with refuses("concepts", "must have tokens of their own"):
        phrase_places(tiny_tokenizer(), TEXT, (14, 16))
