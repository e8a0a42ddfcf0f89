"""Threads read texts with a shared tokenizer one after the other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest

from semguide.adapters.pipelines.tokenizing import tokenizers_in_turn
from support.tiny.calls import fresh


@pytest.fixture
def tokenizer(loaded_sd: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a tokenizer that waits for a second thread between its settings and the text."""
    found, both = fresh(loaded_sd, deep=True).tokenizer, Barrier(2)
    settle = type(found).set_truncation_and_padding

    def waiting(self: Any, *args: Any, **kwargs: Any) -> None:
        settle(self, *args, **kwargs)
        try:
            both.wait(0.3)
        except BrokenBarrierError:
            both.reset()

    monkeypatch.setattr(type(found), "set_truncation_and_padding", waiting)
    return found


def lengths(tokenizer: Any) -> list[int]:
    """Return the lengths of a text that two threads read, one padded and one not."""
    options: list[dict[str, Any]] = [{"padding": "max_length", "max_length": 77, "truncation": True}, {}]
    with ThreadPoolExecutor(2) as pool:
        return [len(found.input_ids) for found in pool.map(lambda given: tokenizer("a cat", **given), options)]


def test_padding_of_one_thread_is_not_that_of_another(tokenizer: Any) -> None:
    with tokenizers_in_turn([tokenizer, object()]), tokenizers_in_turn([tokenizer]):
        assert lengths(tokenizer) == [77, 6]
        assert "_encode_plus" in vars(tokenizer)
    assert "_encode_plus" not in vars(tokenizer)


def test_method_of_someone_else_is_put_back(tokenizer: Any) -> None:
    theirs = tokenizer._encode_plus
    tokenizer._encode_plus = theirs
    with tokenizers_in_turn([tokenizer]):
        assert tokenizer._encode_plus is not theirs
    assert tokenizer._encode_plus is theirs
