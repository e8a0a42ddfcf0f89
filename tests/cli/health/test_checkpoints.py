"""Checkpoints are looked at, and one step of the main job is run."""

from __future__ import annotations

from pathlib import Path

import pytest

from semguide.cli import health
from semguide.cli.health import checkpoints
from semguide.errors import MissingExtra
from support.tiny.stable_diffusion import save_tiny_checkpoint


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_checkpoint(tmp_path_factory.mktemp("doctor") / "tiny")


@pytest.fixture
def damaged(tiny: Path, tmp_path: Path) -> Path:
    """A copy whose files a test may damage."""
    import shutil

    return Path(shutil.copytree(tiny, tmp_path / "tiny"))


def test_one_step_of_the_main_job_runs_on_an_intact_checkpoint(tiny: Path):
    files, step = health.examine_checkpoints({"tiny": tiny})
    assert (files.status, step.status) == ("ok", "ok"), (files.detail, step.detail)
    assert "StableDiffusionPipeline" in files.detail
    assert step.detail == "an image with 2 concepts steered"


def test_a_truncated_weights_file_is_named_and_no_step_is_run(damaged: Path):
    file = damaged / "unet" / "diffusion_pytorch_model.safetensors"
    file.write_bytes(file.read_bytes()[:-1000])
    (finding,) = health.examine_checkpoints({"tiny": damaged})
    assert finding.status == "problem"
    assert "unet/diffusion_pytorch_model.safetensors is damaged" in finding.detail
    assert finding.detail.endswith("install the embedded models anew")


def test_weights_that_are_not_finite_are_named(damaged: Path):
    import torch
    from safetensors.torch import load_file, save_file

    file = damaged / "vae" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(file)
    tensors["decoder.conv_in.bias"][0] = torch.nan
    save_file(tensors, file)
    (finding,) = health.examine_checkpoints({"tiny": damaged})
    assert "not finite in decoder.conv_in.bias" in finding.detail


def test_a_missing_component_is_a_problem(damaged: Path):
    import shutil

    shutil.rmtree(damaged / "unet")
    (finding,) = health.examine_checkpoints({"tiny": damaged})
    assert finding.status == "problem"
    assert "unet" in finding.detail


def test_an_installation_without_checkpoints_is_healthy_and_says_how_to_get_them():
    (finding,) = health.examine_checkpoints({})
    assert finding.status == "note"
    assert "pip install ./emoji" in finding.detail


def test_a_main_job_that_fails_is_a_problem_with_its_reason(tiny: Path, monkeypatch: pytest.MonkeyPatch):
    def fail(_path: Path) -> None:
        raise OSError("disk on fire")

    monkeypatch.setattr(checkpoints, "_one_step", fail)
    step = health.examine_checkpoints({"tiny": tiny})[1]
    assert (step.status, step.detail) == ("problem", "OSError: disk on fire")


def test_a_checkpoint_that_needs_an_extra_is_a_note_with_the_command(tiny: Path, monkeypatch: pytest.MonkeyPatch):
    def missing(path: Path) -> None:
        raise MissingExtra("few", "lora")

    monkeypatch.setattr(checkpoints, "_one_step", missing)
    _, step = health.examine_checkpoints({"few": tiny})
    assert (step.status, step.detail) == ("note", str(MissingExtra("few", "lora")))


def test_weights_in_8_bits_are_read(tmp_path: Path):
    import torch
    from safetensors.torch import save_file

    file = tmp_path / "model.safetensors"
    save_file({"weight": torch.ones(2, 2).to(torch.float8_e4m3fn)}, file)
    assert checkpoints.finite_bytes(file) == file.stat().st_size


def test_an_image_that_is_not_finite_is_a_problem(tiny: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(checkpoints, "_one_step", lambda _path: (float("nan"), 2))
    assert health.examine_checkpoints({"tiny": tiny})[1].status == "problem"
