"""One text at a time in a tokenizer: those of transformers set their padding and truncation anew for each text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from threading import RLock
from typing import Any, TypeVar

_Method = TypeVar("_Method", bound=Callable[..., Any])
_NAME = "_encode_plus"
_LOCK = RLock()
_USERS: dict[int, tuple[int, Any]] = {}
"""How many calls have a tokenizer in turn, by its id, and the method that it had of its own before the first."""


@contextmanager
def tokenizers_in_turn(parts: Any) -> Iterator[None]:
    """Let one thread at a time read texts with a tokenizer, while the context lasts.

    Otherwise pipelines that share a tokenizer, in two threads, pad and cut off each other's prompts.

    Args:
        parts: The components of a pipeline; what is no such tokenizer is left alone.
    """
    with ExitStack() as stack:
        for part in parts:
            if hasattr(part, "set_truncation_and_padding") and hasattr(part, _NAME):
                stack.enter_context(_in_turn(part))
        yield


def reads_in_turn(method: _Method) -> _Method:
    """Run a method of what has a pipeline (`pipe`) with its tokenizers in turn."""

    @wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        with tokenizers_in_turn(getattr(self.pipe, "components", {}).values()):
            return method(self, *args, **kwargs)

    return call  # type: ignore[return-value]


@contextmanager
def _in_turn(tokenizer: Any) -> Iterator[None]:
    with _LOCK:
        users, before = _USERS.get(id(tokenizer), (0, vars(tokenizer).get(_NAME)))
        if not users:
            setattr(tokenizer, _NAME, _locked(getattr(tokenizer, _NAME)))
        _USERS[id(tokenizer)] = users + 1, before
    try:
        yield
    finally:
        with _LOCK:
            users, before = _USERS.pop(id(tokenizer))
            if users > 1:
                _USERS[id(tokenizer)] = users - 1, before
            elif before is None:
                delattr(tokenizer, _NAME)
            else:
                setattr(tokenizer, _NAME, before)


def _locked(method: Callable[..., Any]) -> Callable[..., Any]:
    turn = RLock()

    @wraps(method)
    def locked(*args: Any, **kwargs: Any) -> Any:
        with turn:
            return method(*args, **kwargs)

    return locked
