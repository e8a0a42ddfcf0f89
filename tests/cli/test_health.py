"""`semguide doctor`: each check finds what is wrong, says the remedy, and the exit code follows."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from semguide.cli import doctor as command
from semguide.cli import health
from semguide.cli.health import HealthFinding, checkpoints, machine, packages
from semguide.cli.main import app
from support.plugins import Install
from support.tiny.stable_diffusion import save_tiny_checkpoint

GOOD = HealthFinding("packages", "torch", "ok", "2.13.0")
WARNING = HealthFinding("folders", "hub models", "warning", "/x cannot be written")
PROBLEM = HealthFinding("checkpoints", "emoji-unet", "problem", "unet/a.safetensors is damaged; reinstall semguide")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_checkpoint(tmp_path_factory.mktemp("doctor") / "tiny")


@pytest.fixture
def damaged(tiny: Path, tmp_path: Path) -> Path:
    """A copy whose files a test may damage."""
    import shutil

    return Path(shutil.copytree(tiny, tmp_path / "tiny"))


def run(monkeypatch: pytest.MonkeyPatch, findings: list[HealthFinding], *options: str):
    monkeypatch.setattr(command, "examine", lambda: findings)
    return CliRunner().invoke(app, ["doctor", *options])


def test_a_healthy_installation_ends_with_zero_and_a_verdict(monkeypatch: pytest.MonkeyPatch):
    result = run(monkeypatch, [GOOD])
    assert result.exit_code == 0
    assert result.output.splitlines()[-1] == "Healthy."


def test_a_warning_is_counted_and_still_healthy(monkeypatch: pytest.MonkeyPatch):
    result = run(monkeypatch, [GOOD, WARNING])
    assert result.exit_code == 0
    assert result.output.splitlines()[-1] == "Healthy, with 1 warning(s): folders hub models."


def test_a_problem_ends_with_one_and_is_named(monkeypatch: pytest.MonkeyPatch):
    result = run(monkeypatch, [GOOD, WARNING, PROBLEM])
    assert result.exit_code == 1
    assert result.output.splitlines()[-1] == "Not healthy: 1 problem(s): checkpoints emoji-unet."


def test_json_says_the_same(monkeypatch: pytest.MonkeyPatch):
    result = run(monkeypatch, [GOOD, PROBLEM], "--json")
    said = json.loads(result.output)
    assert result.exit_code == 1
    assert said["healthy"] is False
    assert [finding["status"] for finding in said["findings"]] == ["ok", "problem"]


def test_brackets_in_a_finding_are_printed_as_they_are(monkeypatch: pytest.MonkeyPatch):
    result = run(monkeypatch, [HealthFinding("extras", "web", "note", "run pip 'semguide[web]'")])
    assert "semguide[web]" in result.output


def test_a_missing_package_stops_the_checks_that_would_import_it(monkeypatch: pytest.MonkeyPatch):
    missing = HealthFinding("packages", "torch", "problem", "missing")
    monkeypatch.setattr(command, "examine_packages", lambda: [missing])
    monkeypatch.setattr(command, "examine_devices", lambda: pytest.fail("torch is not there"))
    assert missing in command.examine()


# ---- packages ------------------------------------------------------------------------------------------------------


def test_every_requirement_of_this_environment_is_found():
    statuses = {finding.name: finding.status for finding in health.examine_packages()}
    assert {"semguide", "torch", "diffusers", "transformers"} <= set(statuses)
    assert set(statuses.values()) == {"ok"}


def test_a_package_that_is_missing_or_too_old_comes_with_its_command(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(packages, "requires", lambda _name: ["no-such-package>=1", "torch>=99", "rich<1"])
    found = {finding.name: finding for finding in health.examine_packages()}
    assert found["no-such-package"].detail == "missing: pip install 'no-such-package>=1'"
    assert "but >=99 is needed: pip install 'torch>=99'" in found["torch"].detail
    assert {found[name].status for name in ("no-such-package", "torch", "rich")} == {"problem"}


def test_an_extra_that_is_not_there_is_a_note_with_its_command(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(packages, "requires", lambda _name: ['no-such-package>=1; extra == "spacy"'])
    found = {finding.name: finding for finding in health.examine_extras()}
    assert found["spacy"] == HealthFinding(
        "extras", "spacy", "note", "lacks no-such-package: pip install '.[spacy]' in a clone of semguide's repository"
    )


def test_a_python_out_of_range_is_a_problem(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(packages.platform, "python_version", lambda: "3.9.1")
    assert health.examine_python()[0].status == "problem"


def test_a_torchvision_that_does_not_load_is_a_problem(monkeypatch: pytest.MonkeyPatch):
    def refuse(_name: str) -> None:
        raise RuntimeError("operator torchvision::nms does not exist")

    monkeypatch.setattr(packages.importlib.util, "find_spec", lambda _name: object())
    monkeypatch.setattr(packages.importlib, "import_module", refuse)
    (finding,) = packages._examine_torchvision()
    assert finding.status == "problem"
    assert "pip uninstall torchvision" in finding.detail


# ---- machine -------------------------------------------------------------------------------------------------------


def test_the_processor_is_tried_and_described():
    found = {finding.name: finding for finding in health.examine_devices()}
    assert found["cpu"].status == "ok"
    assert "threads" in found["cpu"].detail
    assert "bfloat16" in found["cpu"].detail


def test_a_device_that_fails_at_work_is_a_problem():
    finding = machine._examine_device("cuda:77")
    assert finding.status == "problem"
    assert "matrix product" in finding.detail


def test_a_folder_that_can_be_made_is_fine_and_is_not_made(tmp_path: Path):
    folder = tmp_path / "a" / "b"
    assert machine._examine_folder("hub models", folder, "warning", "set HF_HOME").status == "ok"
    assert not folder.exists()


def test_a_folder_that_cannot_be_written_comes_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(**_options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(machine.tempfile, "TemporaryFile", refuse)
    finding = machine._examine_folder("hub models", tmp_path, "warning", "set HF_HOME")
    assert finding.status == "warning"
    assert finding.detail == f"{tmp_path} cannot be written (Permission denied); set HF_HOME"


def test_settings_are_shown_and_tokens_are_not(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    found = health.examine_settings()
    assert ("HF_HUB_OFFLINE", "1") in [(finding.name, finding.detail) for finding in found]
    assert "hf_secret" not in str(found)


# ---- checkpoints ---------------------------------------------------------------------------------------------------


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


@pytest.fixture
def scorers(tmp_path: Path, installed: Install) -> dict[str, Path]:
    """Copies of the embedded emoji-clip, with the text tower that it borrows, and emoji-judge."""
    import shutil

    from semguide_emoji import ASSETS
    from semguide_emoji.embedded import CLIP, JUDGE

    for name in ("emoji-clip", "emoji-judge", "emoji-unet/text_encoder", "emoji-unet/tokenizer"):
        shutil.copytree(ASSETS / name, tmp_path / name)
    installed("semguide.clip_scorers", emoji_clip=replace(CLIP, folder=tmp_path / "emoji-clip"))
    installed("semguide.judges", emoji_judge=replace(JUDGE, folder=tmp_path / "emoji-judge"))
    return {name: tmp_path / name for name in ("emoji-clip", "emoji-judge")}


def test_the_embedded_scorers_are_intact_and_work():
    findings = health.examine_scorers()
    assert [finding.name for finding in findings] == [
        "emoji-clip",
        "emoji-clip: one use",
        "emoji-judge",
        "emoji-judge: one use",
    ]
    assert {finding.status for finding in findings} == {"ok"}, findings


@pytest.mark.parametrize("name", ["emoji-clip", "emoji-judge"])
def test_a_truncated_scorer_is_named_and_not_used(name: str, scorers: dict[str, Path]):
    file = scorers[name] / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1000])
    (finding,) = [finding for finding in health.examine_scorers() if finding.status != "ok"]
    assert (finding.name, finding.status) == (name, "problem")
    assert f"{name}/model.safetensors is damaged" in finding.detail
    assert finding.detail.endswith("install the embedded models anew")


def test_an_emoji_clip_without_its_text_tower_is_a_problem(scorers: dict[str, Path]):
    import shutil

    shutil.rmtree(scorers["emoji-clip"].parent / "emoji-unet")
    findings = {finding.name: finding for finding in health.examine_scorers()}
    assert findings["emoji-clip"].status == "ok"
    assert findings["emoji-clip: one use"].status == "problem"
    assert "must lie beside emoji-unet" in findings["emoji-clip: one use"].detail


def test_a_judge_that_is_not_there_is_a_problem(scorers: dict[str, Path]):
    (scorers["emoji-judge"] / "model.safetensors").unlink()
    (finding,) = [finding for finding in health.examine_scorers() if finding.status != "ok"]
    assert finding.status == "problem"


def test_the_command_looks_at_the_scorers_too(monkeypatch: pytest.MonkeyPatch):
    for name in ("examine_packages", "examine_devices", "examine_checkpoints", "examine_extras"):
        monkeypatch.setattr(command, name, list)
    assert {"emoji-clip", "emoji-judge"} <= {finding.name for finding in command.examine()}


def test_a_main_job_that_fails_is_a_problem_with_its_reason(tiny: Path, monkeypatch: pytest.MonkeyPatch):
    def fail(_path: Path) -> None:
        raise OSError("disk on fire")

    monkeypatch.setattr(checkpoints, "_one_step", fail)
    step = health.examine_checkpoints({"tiny": tiny})[1]
    assert (step.status, step.detail) == ("problem", "OSError: disk on fire")


def test_an_image_that_is_not_finite_is_a_problem(tiny: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(checkpoints, "_one_step", lambda _path: (float("nan"), 2))
    assert health.examine_checkpoints({"tiny": tiny})[1].status == "problem"
