import json
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest

from semguide_emoji.training.history import HISTORY, Training, earlier, history, table, write_history
from semguide_emoji.training.loop import SETTINGS
from support.refusals import refuses

FIRST = Training("unet", 4122, 64, 1e-3, 87, "cpu", "The first steps drew other scenes.")
VAE = Training("vae", 6489, 8, 2e-3, 10, "cpu")


def test_what_is_written_is_read(tmp_path: Path):
    write_history([VAE, FIRST], tmp_path)
    assert earlier(tmp_path) == [VAE, FIRST]


def test_a_folder_without_a_list_has_no_earlier_runs(tmp_path: Path):
    assert earlier(tmp_path) == []


@pytest.mark.parametrize(
    ("runs", "problem"),
    [
        ("", "runs must be a list, got ''"),
        ([3], "runs must have objects, got 3"),
        ([{}], "runs.recipe must be a str, got nothing"),
        ([{**asdict(VAE), "steps": "many"}], "runs.steps must be a int, got 'many'"),
        ([{**asdict(VAE), "learning_rate": True}], "runs.learning_rate must be a float, got True"),
        ([{**asdict(VAE), "note": 1}], "runs.note must be a str, got 1"),
        ([{**asdict(VAE), "extra": 1}], "runs must not have a field 'extra'"),
    ],
)
def test_a_broken_list_is_named_with_field_and_file(tmp_path: Path, runs: object, problem: str):
    (tmp_path / HISTORY).write_text(json.dumps({"runs": runs}))
    with refuses("out", f"must hold a {HISTORY} as semguide wrote it ({problem})", tmp_path / HISTORY):
        earlier(tmp_path)


@pytest.mark.parametrize("content", ["[]", "{", '{"batch_size": "x"}', '{"batch_size": 4, "learning_rate": []}'])
def test_broken_settings_of_a_run_are_named_with_their_file(tiny_set: Path, tmp_path: Path, content: str):
    shutil.copytree(tiny_set / "training" / "vae", tmp_path / "training" / "vae")
    (tmp_path / "training" / "vae" / SETTINGS).write_text(content)
    with refuses("out", f"must hold a {SETTINGS} as semguide wrote it", tmp_path / "training" / "vae" / SETTINGS):
        history(tmp_path, ("vae",))


def test_own_runs_follow_the_earlier_ones(tiny_set: Path, tmp_path: Path):
    (tmp_path / "training").symlink_to(tiny_set / "training")
    write_history([VAE, FIRST, Training("flow", 1, 1, 1.0, 1, "cpu")], tmp_path)
    runs = history(tmp_path, ("vae", "unet"))
    assert runs[:2] == [VAE, FIRST]
    assert [(run.recipe, run.steps, run.batch_size, run.learning_rate, run.device) for run in runs[2:]] == [
        ("vae", 2, 4, 1e-3, "cpu"),
        ("unet", 2, 4, 1e-3, "cpu"),
    ]


def test_a_note_beside_a_run_goes_with_it(tiny_set: Path, tmp_path: Path):
    shutil.copytree(tiny_set / "training" / "vae", tmp_path / "training" / "vae")
    (tmp_path / "training" / "vae" / "NOTE.md").write_text("The machine\nwas shared.\n")
    assert [run.note for run in history(tmp_path, ("vae", "unet"))] == ["The machine was shared."]


def test_the_table_has_a_row_for_each_run_and_the_notes_below():
    lines = table([VAE, FIRST]).splitlines()
    assert lines[2] == "| `semguide train vae` | 6489 | 8 | 0.002 | 10 | cpu |"
    assert lines[3].startswith("| `semguide train unet` | 4122 | 64 | 0.001 | 87 |")
    assert lines[4:] == ["", FIRST.note]


def test_the_file_is_plain_json(tmp_path: Path):
    write_history([VAE], tmp_path)
    assert json.loads((tmp_path / HISTORY).read_text())["runs"][0]["minutes"] == 10


@pytest.mark.parametrize("name", ["emoji-unet"])
def test_the_embedded_checkpoints_list_their_runs(name: str):
    from semguide_emoji import ASSETS

    runs = earlier(ASSETS / name)
    assert {"vae", "clip", "unet"} <= {run.recipe for run in runs}
    assert table(runs).splitlines()[2] in (ASSETS / name / "README.md").read_text(encoding="utf-8")
