from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from support.tiny_scorers import save_tiny_blip, save_tiny_clip


@pytest.fixture(scope="session")
def tiny_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CLIPModel with random weights; tests must not write to it."""
    return save_tiny_clip(tmp_path_factory.mktemp("clip") / "clip")


@pytest.fixture(scope="session")
def tiny_blip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BlipForQuestionAnswering with random weights; tests must not write to it."""
    return save_tiny_blip(tmp_path_factory.mktemp("blip") / "blip")


@pytest.fixture(scope="session")
def image() -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8))
