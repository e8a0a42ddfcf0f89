from pathlib import Path

import pytest

from support.tiny_set import train_tiny_set


@pytest.fixture(scope="session")
def tiny_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of checkpoints, each trained for two steps once for all tests, which must not write to it."""
    return train_tiny_set(tmp_path_factory.mktemp("set"))
