"""The community pipeline, loaded as diffusers loads one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import DiffusionPipeline, StableDiffusionPipeline

from semguide import BalancedSGT, steer
from support.tiny.stable_diffusion import save_tiny_checkpoint

FILE = Path(__file__).resolve().parents[2] / "community" / "semantic_guidance.py"
PROMPT = "a red book and a yellow vase"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_checkpoint(tmp_path_factory.mktemp("tiny") / "model")


def load(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Load the pipeline; diffusers copies foreign code to a folder of the test."""
    monkeypatch.setattr("diffusers.utils.dynamic_modules_utils.HF_MODULES_CACHE", str(tmp_path / "modules"))
    monkeypatch.syspath_prepend(str(tmp_path / "modules"))
    return DiffusionPipeline.from_pretrained(str(folder), custom_pipeline=str(FILE), trust_remote_code=True)


def draw(pipe: Any, **arguments: Any) -> Any:
    generator = torch.Generator().manual_seed(0)
    return pipe(PROMPT, num_inference_steps=4, output_type="np", generator=generator, **arguments)


def test_it_draws_what_steer_draws_and_plain_guidance_without_concepts(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    community = load(folder, tmp_path, monkeypatch)
    plain: Any = StableDiffusionPipeline.from_pretrained(str(folder))
    for pipe in (community, plain):
        pipe.set_progress_bar_config(disable=True)
    rule = BalancedSGT(guidance_scale=5.0)
    steered = draw(community, guidance_scale=5.0)
    assert (steered.images == draw(steer(plain, rule)).images).all()
    assert steered.trace.concepts == (("a red book", "a yellow vase"),)
    unguided = draw(community, guidance_scale=5.0, concepts=[])
    assert (unguided.images == draw(plain, guidance_scale=5.0).images).all()
    assert (unguided.images != steered.images).any()
    strong = draw(community, rule=BalancedSGT(strength=5.0))
    assert (strong.images == draw(steer(plain, BalancedSGT(7.5, strength=5.0))).images).all()
