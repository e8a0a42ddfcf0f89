import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from semguide_emoji.training.export import export
from semguide_emoji.training.history import earlier
from semguide_emoji.training.origin import take_up
from semguide_emoji.training.recipes import RECIPES
from support.refusals import refuses
from support.tiny_set import TINY


@pytest.fixture(scope="module")
def assets(tiny_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("assets")
    export(TINY, tiny_set, folder)
    return folder


def weights(file: Path) -> dict[str, torch.Tensor]:
    return {name: value.float() for name, value in load_file(file).items()}


@pytest.mark.parametrize(("recipe", "checkpoint"), [("unet", "emoji-unet"), ("flow", "emoji-flow")])
def test_training_goes_on_from_an_export(recipe: str, checkpoint: str, assets: Path, tmp_path: Path):
    take_up(assets / checkpoint, tmp_path, recipe)
    assert not (tmp_path / "clip").exists()
    file = f"{recipe}/diffusion_pytorch_model.safetensors"
    start = weights(tmp_path / file)
    state = RECIPES[recipe](TINY, replace(TINY.settings[recipe], learning_rate=1e-9), tmp_path)
    assert state.step == 2
    after = weights(tmp_path / file)
    assert all(torch.allclose(start[name], after[name], atol=1e-6) for name in start)


def test_the_cards_of_both_exports_tell_both_runs(assets: Path, tmp_path: Path):
    take_up(assets / "emoji-unet", tmp_path / "set", "unet")
    RECIPES["unet"](TINY, replace(TINY.settings["unet"], steps=3), tmp_path / "set")
    (written,) = export(TINY, tmp_path / "set", tmp_path / "assets")
    card = (written / "README.md").read_text(encoding="utf-8")
    assert card.count("| `semguide train unet` |") == 2
    assert card.index("| `semguide train unet` | 2 |") < card.index("| `semguide train unet` | 3 |")
    assert [(run.recipe, run.steps) for run in earlier(written)] == [
        *((run.recipe, run.steps) for run in earlier(assets / "emoji-unet")),
        ("unet", 3),
    ]


def test_a_set_from_one_checkpoint_is_exported_as_that_one_alone(assets: Path, tmp_path: Path):
    take_up(assets / "emoji-flow", tmp_path / "set", "flow")
    assert [path.name for path in export(TINY, tmp_path / "set", tmp_path / "assets")] == ["emoji-flow"]


def test_a_unet_can_start_from_the_text_encoder_of_the_flow(assets: Path, tmp_path: Path):
    take_up(assets / "emoji-flow", tmp_path, "unet")
    assert not (tmp_path / "unet").exists()
    assert RECIPES["unet"](TINY, TINY.settings["unet"], tmp_path).step == 2


def test_a_flow_cannot_start_from_a_text_encoder_without_projection(assets: Path, tmp_path: Path):
    take_up(assets / "emoji-unet", tmp_path, "flow")
    assert not (tmp_path / "unet").exists()
    with refuses("out", "must hold clip/, or a text_encoder/ with CLIP's projection"):
        RECIPES["flow"](TINY, TINY.settings["flow"], tmp_path)


def test_what_the_set_holds_stays(assets: Path, tiny_set: Path, tmp_path: Path):
    for part in ("unet", "clip", "training"):
        shutil.copytree(tiny_set / part, tmp_path / part)
    before = (tmp_path / "unet" / "diffusion_pytorch_model.safetensors").read_bytes()
    take_up(assets / "emoji-unet", tmp_path, "unet")
    assert (tmp_path / "unet" / "diffusion_pytorch_model.safetensors").read_bytes() == before
    assert not (tmp_path / "text_encoder").exists()
    assert (tmp_path / "vae").is_dir()


def test_a_loop_state_made_elsewhere_is_taken_up_as_a_finished_run(assets: Path, tiny_set: Path, tmp_path: Path):
    take_up(assets / "emoji-unet", tmp_path, "unet")
    shutil.copytree(tiny_set / "training" / "unet", tmp_path / "training" / "unet")
    settings = (tmp_path / "training" / "unet" / "settings.json").read_text()
    RECIPES["unet"](TINY, replace(TINY.settings["unet"], steps=1, learning_rate=0.5), tmp_path)
    file = "unet/diffusion_pytorch_model.safetensors"
    made, expected = weights(tmp_path / file), weights(tiny_set / file)
    assert all(torch.equal(made[name], expected[name]) for name in expected)
    assert (tmp_path / "training" / "unet" / "settings.json").read_text() == settings


@pytest.mark.parametrize("recipe", ["vae", "clip", "judge"])
def test_recipes_that_start_from_nothing_take_no_checkpoint(recipe: str, assets: Path, tmp_path: Path):
    with refuses("recipe", "must be one of unet, lora, turbo, flow, decoder beside {source}", recipe):
        take_up(assets / "emoji-unet", tmp_path, recipe)


def test_a_folder_that_is_no_checkpoint_is_refused(tmp_path: Path):
    with refuses("source", "must be an exported checkpoint with a model_index.json", tmp_path):
        take_up(tmp_path, tmp_path / "set", "unet")
    assert not (tmp_path / "set").exists()
