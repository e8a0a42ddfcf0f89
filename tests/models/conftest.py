from pathlib import Path

import pytest

from support.foreign_warnings import pytest_itemcollected
from support.tiny.stable_diffusion import save_tiny_checkpoint

__all__ = ["pytest_itemcollected"]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random Stable Diffusion; tests must not write to it."""
    return save_tiny_checkpoint(tmp_path_factory.mktemp("checkpoint") / "tiny-sd")


@pytest.fixture
def copy(tiny: Path, tmp_path: Path) -> Path:
    """A copy of the tiny checkpoint that a test may damage."""
    import shutil

    return Path(shutil.copytree(tiny, tmp_path / "copy"))
