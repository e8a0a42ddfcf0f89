import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from semguide.cli.families import END, START, main, markdown, with_table
from semguide.models import EmbeddedModel
from support.plugins import Install
from support.refusals import refuses

Cli = Callable[..., Result]


@pytest.fixture
def assets(tiny: Path, tmp_path: Path, installed: Install) -> Path:
    folder = Path(shutil.copytree(tiny, tmp_path / "assets" / "toy-unet"))
    (folder / "README.md").write_text("# Toy\n\nDraws [toys].\n")
    (folder / "semguide.json").write_text(json.dumps({"num_inference_steps": 3, "guidance_scale": 5.0}))
    installed("semguide.models", toy_unet=EmbeddedModel("toy-unet", folder))
    return folder


def test_embedded_checkpoints_are_listed(cli: Cli, assets: Path):
    (entry,) = json.loads(cli("models", "--json").stdout)
    assert entry["name"] == "toy-unet"
    assert (entry["pipeline"], entry["height"], entry["num_inference_steps"]) == ("StableDiffusionPipeline", 64, 3)
    shown = cli("models").stdout
    assert all(text in shown for text in ("toy-unet", "64x64", "5.0", "Draws [toys]."))


def test_an_installation_without_checkpoints_says_how_to_get_them(cli: Cli, tmp_path: Path, installed: Install):
    installed("semguide.models")
    assert "pip install ./emoji" in cli("models").stdout
    result = cli("generate", "a cat", "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "--model must be given" in result.stderr
    assert "pip install ./emoji" in result.stderr


def test_an_embedded_checkpoint_is_the_default_with_its_own_steps_and_scale(cli: Cli, assets: Path, tmp_path: Path):
    result = cli("generate", "a red book", "--num-images", 1, "--out", tmp_path / "out")
    assert result.exit_code == 0
    run = json.loads((tmp_path / "out" / "run.json").read_text())["run"]
    assert run["model"] == "toy-unet"
    assert (run["sampling"]["num_inference_steps"], run["sampling"]["guidance_scale"]) == (3, 5.0)


def test_families_are_listed_with_their_reasons(cli: Cli):
    listed = json.loads(cli("models", "--families", "--json").stdout)
    by_name = {entry["family"]: entry for entry in listed}
    assert by_name["Z-Image"]["hooked"] == "concat"
    assert "ZImageImg2ImgPipeline" in by_name["Z-Image"]["pipelines"]
    assert by_name["Lumina 1"]["hooked"] == "refused"
    assert "use Lumina2Pipeline" in by_name["Lumina 1"]["limits"]
    assert all(entry["tested"] and entry["pipelines"] for entry in listed)
    assert all(entry["cost"] for entry in listed if entry["hooked"] != "refused")
    shown = " ".join(cli("models", "--families").stdout.split())
    assert "Qwen-Image" in shown
    assert "Lumina 1" in shown


def test_page_on_models_is_what_the_code_says():
    page = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
    assert page == with_table(page), "run: python -m semguide.cli.families docs/models.md"


def test_table_is_written_between_the_marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    page = tmp_path / "page.md"
    page.write_text(f"# Page\n{START}\nold\n{END}\nafter\n")
    monkeypatch.setattr("sys.argv", ["families", str(page)])
    main()
    text = page.read_text()
    assert text == f"# Page\n{START}\n\n{markdown()}\n{END}\nafter\n"
    assert len({line.count(" | ") for line in markdown().splitlines() if not line.startswith("| ---")}) == 1
    page.write_text("# Page\n")
    with refuses("file", "must have the lines"):
        main()
