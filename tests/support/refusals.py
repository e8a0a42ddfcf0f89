"""What a refused argument must look like in a test."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from semguide.errors import InvalidArgument

ANYTHING = object()


@contextmanager
def refuses(
    argument: str, rule: str = "must", value: Any = ANYTHING
) -> Iterator[pytest.ExceptionInfo[InvalidArgument]]:
    """Assert that the block refuses an argument.

    Args:
        argument: The argument.
        rule: Part of its rule.
        value: What the error says was received.
    """
    with pytest.raises(InvalidArgument) as caught:
        yield caught
    assert caught.value.argument == argument
    assert rule in caught.value.rule
    assert value is ANYTHING or caught.value.value == value
