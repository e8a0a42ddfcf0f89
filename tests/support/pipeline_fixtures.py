"""Tiny pipelines; a test that changes one takes a deep copy."""

from __future__ import annotations

from typing import Any

import pytest

from support.tiny.calls import fresh
from support.tiny.stable_diffusion import quiet, save_tiny_checkpoint, tiny_sdxl


@pytest.fixture(scope="session")
def loaded_sd(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from diffusers import StableDiffusionPipeline

    folder = save_tiny_checkpoint(tmp_path_factory.mktemp("adapters") / "tiny-sd")
    return quiet(StableDiffusionPipeline.from_pretrained(folder))


@pytest.fixture(scope="session")
def loaded_sdxl() -> Any:
    return tiny_sdxl()


@pytest.fixture
def sd(loaded_sd: Any) -> Any:
    """Return a tiny Stable Diffusion."""
    return fresh(loaded_sd)


@pytest.fixture
def sdxl(loaded_sdxl: Any) -> Any:
    """Return a tiny SDXL."""
    return fresh(loaded_sdxl)


@pytest.fixture(params=["sd", "sdxl"])
def pipe(request: pytest.FixtureRequest) -> Any:
    """Return each kind of pipeline."""
    return request.getfixturevalue(request.param)
