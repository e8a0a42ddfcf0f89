"""Where words of a prompt are among the tokens that a text encoder reads."""

from __future__ import annotations

from typing import Any

from semguide.errors import InvalidArgument


def content_places(tokenizer: Any, text: str, length: int) -> list[int]:
    """Return the places of the tokens that are not padding: words, start and end.

    Args:
        tokenizer: Of transformers.
        text: The prompt.
        length: The number of tokens to which it is padded or cut.
    """
    mask = tokenizer(text, padding="max_length", max_length=length, truncation=True).attention_mask
    return [place for place, content in enumerate(mask) if content]


def phrase_places(tokenizer: Any, text: str, span: tuple[int, int]) -> range:
    """Return the places of the tokens of a phrase, in the text as it is encoded with its special tokens.

    Args:
        tokenizer: Of transformers.
        text: The prompt.
        span: Start and end of the phrase in it, at the edges of words.

    Raises:
        InvalidArgument: The phrase has no token of its own.
    """
    start, end = (len(_plain(tokenizer, text[:edge].rstrip())) for edge in span)
    if start >= end:
        raise InvalidArgument("concepts", "must have tokens of their own in the prompt", text[slice(*span)])
    before = _specials_before(tokenizer, text)
    return range(before + start, before + end)


def _plain(tokenizer: Any, text: str) -> list[int]:
    return tokenizer(text, add_special_tokens=False, verbose=False).input_ids


def _specials_before(tokenizer: Any, text: str) -> int:
    """Return the number of special tokens before those of the text."""
    whole, plain = tokenizer(text, verbose=False).input_ids, _plain(tokenizer, text)
    return next(i for i in range(len(whole)) if whole[i : i + len(plain)] == plain)
