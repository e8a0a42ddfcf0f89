import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from semguide_emoji.evaluation import measured
from semguide_emoji.training.presets import PRESETS
from support.tiny_set import TINY

Cli = Callable[..., Result]


@pytest.fixture(autouse=True)
def tiny_preset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PRESETS, "small", TINY)


@pytest.mark.parametrize(
    ("recipe", "missing"), [("unet", "vae"), ("flow", "vae"), ("decoder", "vae"), ("judge", "vae"), ("export", "unet")]
)
def test_a_recipe_without_what_it_builds_on_is_refused(cli: Cli, tmp_path: Path, recipe: str, missing: str):
    result = cli("train", recipe, "--out", tmp_path / "set", "--to", tmp_path / "assets", "--device", "cpu")
    assert result.exit_code == 2
    assert f"--out must hold {missing}/" in result.stderr
    assert f"run `semguide train {missing}` first" in result.stderr
    assert not (tmp_path / "assets").exists()


def test_training_stops_in_time_and_goes_on(cli: Cli, tmp_path: Path):
    assert cli("train", "vae", "--out", tmp_path / "set", "--device", "cpu").exit_code == 0
    options = ("train", "judge", "--out", tmp_path / "set", "--device", "cpu", "--steps", 3)
    stopped = cli(*options, "--minutes", 0.01)
    assert stopped.exit_code == 0
    done = cli(*options)
    assert done.exit_code == 0
    assert "judge: done at step 3 of 3 after " in done.stdout
    assert (tmp_path / "set" / "judge" / "model.safetensors").exists()


def test_training_goes_on_from_an_exported_checkpoint_on_other_pictures(cli: Cli, tiny_set: Path, tmp_path: Path):
    assert cli("train", "export", "--out", tiny_set, "--to", tmp_path / "assets", "--seeds", 0).exit_code == 0
    options = ("--from", tmp_path / "assets" / "emoji-unet", "--out", tmp_path / "set", "--device", "cpu")
    result = cli("train", "unet", *options)
    assert result.exit_code == 0, result.stderr
    assert "unet: done at step 2 of 2 after " in result.stdout
    settings = json.loads((tmp_path / "set" / "training" / "unet" / "settings.json").read_text())
    assert settings["seed"] == TINY.settings["unet"].seed + 100
    assert (tmp_path / "set" / "unet" / "config.json").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("paint",), "paint"),
        (("vae", "--steps", 0), "--steps"),
        (("vae", "--minutes", 0), "--minutes"),
        (("vae", "--device", "tpu"), "--device must be auto or a device of this machine"),
        (("vae", "--preset", "huge"), "--preset"),
        (("vae", "--from", "."), "RECIPE must be one of unet, lora, turbo, flow, decoder beside --from, got 'vae'"),
        (("unet", "--from", "nowhere"), "--from must be an exported checkpoint"),
        (("export", "--seeds", -1), "--seeds"),
    ],
)
def test_wrong_usage_is_refused(cli: Cli, arguments: tuple[object, ...], message: str):
    result = cli("train", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not list(Path().iterdir())


def test_an_unwritable_folder_is_refused(cli: Cli, tmp_path: Path):
    (tmp_path / "file").write_text("text")
    result = cli("train", "vae", "--out", tmp_path / "file" / "set")
    assert result.exit_code == 2
    assert "--out must be a folder" in result.stderr


@pytest.mark.slow
def test_a_set_is_measured_and_exported(cli: Cli, tiny_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from semguide_emoji.training.export import KINDS

    plain = f"plain CFG {KINDS['emoji-unet'].best_scale:g}, 25 steps"
    whole = measured.measured
    monkeypatch.setattr(measured, "measured", lambda preset, out, seeds: whole(preset, out, seeds, 50, limit=1))
    result = cli("train", "export", "--out", tiny_set, "--to", tmp_path / "assets", "--seeds", 1)
    assert result.exit_code == 0, result.stderr
    assert str(tmp_path / "assets" / "emoji-unet") in result.stdout
    card = (tmp_path / "assets" / "emoji-unet" / "README.md").read_text(encoding="utf-8")
    assert str(tmp_path / "assets" / "emoji-flow") in result.stdout
    for row in ("of rendered scenes: noun and place found", "scenes through the autoencoder", plain):
        assert row in card
