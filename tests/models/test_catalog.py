from dataclasses import replace
from pathlib import Path

import pytest

from semguide.models import EmbeddedModel, SourceKind, default_model, embedded, resolve
from semguide.plugins import BrokenPlugin
from support.plugins import Install
from support.refusals import refuses


@pytest.fixture
def toy(tmp_path: Path, installed: Install) -> Path:
    folder = tmp_path / "assets" / "toy-unet"
    folder.mkdir(parents=True)
    (folder / "model_index.json").write_text("{}")
    installed("semguide.models", toy_unet=EmbeddedModel("toy-unet", folder))
    return folder


def test_embedded_lists_what_packages_bring(toy: Path):
    assert {name: model.path for name, model in embedded().items()} == {"toy-unet": toy}


def test_the_default_is_the_marked_model_else_the_first(tmp_path: Path, installed: Install):
    first, second = (EmbeddedModel(name, tmp_path / name) for name in ("first", "second"))
    installed("semguide.models", first=first, second=second)
    assert default_model() == "first"
    installed("semguide.models", first=first, second=replace(second, default=True))
    assert default_model() == "second"


def test_without_an_embedded_model_it_is_said_how_to_get_one(installed: Install):
    installed("semguide.models")
    with refuses("model", "pip install ./emoji"):
        default_model()
    with refuses("model", "pip install ./emoji"):
        resolve("emoji-unet")


def test_a_broken_package_is_named_in_one_sentence(installed: Install):
    installed("semguide.models", toy=ImportError("no module named toys.paint"))
    with pytest.raises(
        BrokenPlugin, match=r"'toy' of the group semguide.models cannot be loaded from the package toys"
    ):
        embedded()


def test_card_is_the_first_paragraph_after_header_and_heading(toy: Path):
    (toy / "README.md").write_text("---\nlicense: x\n---\n# Toy\n\nDraws\ntoys.\n\nMore.\n")
    assert embedded()["toy-unet"].card == "Draws toys."


def test_every_embedded_checkpoint_of_the_package_has_a_card():
    assert all(model.card for model in embedded().values())


def test_an_embedded_name_comes_before_a_folder(toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
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
    with refuses("model"):
        resolve(name)


def test_a_misspelt_name_gets_the_nearest_and_the_list(toy: Path):
    with refuses("model", "must be an embedded name (toy-unet)") as caught:
        resolve("toy-umet")
    assert caught.value.remedy == "did you mean 'toy-unet'?"


def test_a_safetensors_file_is_a_single_file_where_its_links_lead_elsewhere(tmp_path: Path):
    (tmp_path / "blob").write_bytes(b"")
    (tmp_path / "sd.safetensors").symlink_to(tmp_path / "blob")
    source = resolve(str(tmp_path / "sd.safetensors"))
    assert (source.kind, source.path) == (SourceKind.FILE, tmp_path / "sd.safetensors")


def test_a_folder_with_one_safetensors_file_stands_for_it(tmp_path: Path):
    (tmp_path / "sd.safetensors").write_bytes(b"")
    assert resolve(str(tmp_path)).path == tmp_path / "sd.safetensors"
    (tmp_path / "sdxl.safetensors").write_bytes(b"")
    with refuses("model", "holds 2 .safetensors files"):
        resolve(str(tmp_path))


@pytest.mark.parametrize("name", ["sd.ckpt", "sd.bin"])
def test_a_file_that_may_run_code_is_refused(name: str, tmp_path: Path):
    (tmp_path / name).write_bytes(b"")
    with refuses("model", "may run code"):
        resolve(str(tmp_path / name))
