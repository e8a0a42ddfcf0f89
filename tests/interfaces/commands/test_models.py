import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from semguide.models import catalog

Cli = Callable[..., Result]


@pytest.fixture
def assets(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = Path(shutil.copytree(tiny, tmp_path / "assets" / "toy-unet"))
    (folder / "README.md").write_text("# Toy\n\nDraws [toys].\n")
    (folder / "semguide.json").write_text(json.dumps({"num_inference_steps": 3, "guidance_scale": 5.0}))
    monkeypatch.setattr(catalog, "ASSETS", tmp_path / "assets")
    return folder


def test_embedded_checkpoints_are_listed(cli: Cli, assets: Path):
    (entry,) = json.loads(cli("models", "--json").stdout)
    assert entry["name"] == "toy-unet"
    assert (entry["pipeline"], entry["height"], entry["num_inference_steps"]) == ("StableDiffusionPipeline", 64, 3)
    shown = cli("models").stdout
    assert all(text in shown for text in ("toy-unet", "64x64", "5.0", "Draws [toys]."))


def test_an_installation_without_checkpoints_says_so(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(catalog, "ASSETS", tmp_path)
    assert "No checkpoint is embedded" in cli("models").stdout
    result = cli("generate", "a cat", "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "model (--model) must be given" in result.stderr


def test_an_embedded_checkpoint_is_the_default_with_its_own_steps_and_scale(cli: Cli, assets: Path, tmp_path: Path):
    result = cli("generate", "a red book", "--num-images", 1, "--out", tmp_path / "out")
    assert result.exit_code == 0
    run = json.loads((tmp_path / "out" / "run.json").read_text())["run"]
    assert run["model"] == "toy-unet"
    assert (run["sampling"]["num_inference_steps"], run["sampling"]["guidance_scale"]) == (3, 5.0)
