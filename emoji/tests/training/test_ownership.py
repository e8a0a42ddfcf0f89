import shutil
from pathlib import Path

import pytest

from semguide_emoji.training.ownership import check_set, save_part
from support.refusals import refuses


@pytest.fixture
def folder(tiny_set: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_set, tmp_path / "set"))


def test_an_earlier_set_is_trained_on_and_a_new_one_begun(folder: Path, tmp_path: Path):
    check_set(folder, "vae")
    check_set(tmp_path / "new", "vae")
    (tmp_path / "empty").mkdir()
    check_set(tmp_path / "empty", "vae")


def test_a_folder_of_something_else_is_refused(tmp_path: Path):
    (tmp_path / "vae").mkdir()
    (tmp_path / "vae" / "config.json").write_text("mine")
    with refuses("out", "with no other files", tmp_path):
        check_set(tmp_path, "vae")


@pytest.mark.parametrize(
    "name",
    ["vae", "vae/config.json", "training", "training/vae", "training/vae/log.jsonl", "training/vae/settings.json"],
)
def test_no_link_in_a_set_is_written_through(folder: Path, tmp_path: Path, name: str):
    (folder / name).rename(tmp_path / "theirs")
    (folder / name).symlink_to(tmp_path / "theirs")
    with refuses("out", f"is a link, or not as semguide wrote it ({name})", folder):
        check_set(folder, "vae")


@pytest.mark.parametrize("name", ["log.jsonl", "settings.json", "state.safetensors"])
def test_a_file_of_a_run_that_is_not_ours_is_refused(folder: Path, name: str):
    (folder / "training" / "vae" / name).write_text("mine")
    with refuses("out", f"not as semguide wrote it (training/vae/{name})", folder):
        check_set(folder, "vae")


def test_a_part_is_written_beside_files_of_others_and_not_into_what_hard_links_share(tmp_path: Path):
    part = tmp_path / "vae"
    part.mkdir()
    (part / "thesis.txt").write_text("mine")
    (part / "config.json").write_text("theirs")
    (tmp_path / "theirs").hardlink_to(part / "config.json")
    save_part(part, lambda folder: (folder / "config.json").write_text("new"))
    assert {file.name: file.read_text() for file in part.iterdir()} == {"thesis.txt": "mine", "config.json": "new"}
    assert (tmp_path / "theirs").read_text() == "theirs"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["theirs", "vae"]
