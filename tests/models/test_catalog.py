from pathlib import Path

import pytest

from semguide.errors import InvalidArgument
from semguide.models import SourceKind, catalog, embedded, resolve


@pytest.fixture
def assets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "assets" / "toy-unet"
    folder.mkdir(parents=True)
    (folder / "model_index.json").write_text("{}")
    (tmp_path / "assets" / "sprites").mkdir()
    monkeypatch.setattr(catalog, "ASSETS", tmp_path / "assets")
    return folder


def test_embedded_lists_checkpoint_folders_only(assets: Path):
    assert {name: model.path for name, model in embedded().items()} == {"toy-unet": assets}


def test_card_is_the_first_paragraph_after_header_and_heading(assets: Path):
    (assets / "README.md").write_text("---\nlicense: x\n---\n# Toy\n\nDraws\ntoys.\n\nMore.\n")
    assert embedded()["toy-unet"].card == "Draws toys."


def test_every_embedded_checkpoint_of_the_package_has_a_card():
    assert all(model.card for model in embedded().values())


def test_an_embedded_name_comes_before_a_folder(assets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "toy-unet").mkdir()
    monkeypatch.chdir(tmp_path)
    assert resolve("toy-unet").kind is SourceKind.EMBEDDED


def test_a_folder_named_like_a_hub_id_is_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "owner" / "name").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    source = resolve("owner/name")
    assert (source.kind, source.path) == (SourceKind.FOLDER, tmp_path / "owner" / "name")


def test_owner_slash_name_is_a_hub_id():
    assert resolve("runwayml/stable-diffusion-v1-5").kind is SourceKind.HUB


@pytest.mark.parametrize(
    "name", ["", "nothing", "/no/such/folder", "a/b/c", "../up", "./here", "owner/", "-x/y", "a b/c"]
)
def test_what_is_no_name_folder_or_hub_id_is_refused(name: str):
    with pytest.raises(InvalidArgument, match="model must be"):
        resolve(name)


def test_a_misspelt_name_gets_the_nearest_and_the_list(assets: Path):
    with pytest.raises(InvalidArgument, match=r"\(toy-unet\).*did you mean 'toy-unet'"):
        resolve("toy-umet")


def test_a_single_file_is_refused_with_the_way_to_convert_it(tmp_path: Path):
    (tmp_path / "sd.safetensors").write_bytes(b"")
    with pytest.raises(InvalidArgument, match="from_single_file"):
        resolve(str(tmp_path / "sd.safetensors"))
