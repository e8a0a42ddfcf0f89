"""Tiny pipelines; a test that changes one takes a deep copy."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.tiny_pipelines import fresh, quiet, tiny_sdxl
from models.tiny_checkpoint import save_tiny_checkpoint


def pytest_itemcollected(item: pytest.Item) -> None:
    """Ignore what diffusers does that others discourage: its schedulers' arrays, parts of Kolors, Flux and Mochi."""
    for message in ("__array__ implementation", "__array_wrap__ must accept", ".torch.jit.script. is deprecated"):
        item.add_marker(pytest.mark.filterwarnings(f"ignore:{message}:DeprecationWarning"))
    item.add_marker(pytest.mark.filterwarnings("ignore:.FluxPosEmbed. is deprecated:FutureWarning"))
    item.add_marker(
        pytest.mark.filterwarnings("ignore:In CPU autocast, but the target dtype is not supported:UserWarning")
    )


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
