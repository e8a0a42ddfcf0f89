"""Tiny pipelines; a test that changes one takes a deep copy."""

from __future__ import annotations

import json
from pathlib import Path
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


@pytest.fixture(scope="session")
def wan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Wan of videos of 64 x 64 pixels, 2 steps; tests must not write to it."""
    from support.tiny.pipelines import tiny

    path = tmp_path_factory.mktemp("wan") / "tiny-wan"
    tiny("WanPipeline").save_pretrained(path)
    defaults = {"height": 64, "width": 64, "num_inference_steps": 2, "guidance_scale": 4.0}
    (path / "semguide.json").write_text(json.dumps(defaults), encoding="utf-8")
    return path


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
