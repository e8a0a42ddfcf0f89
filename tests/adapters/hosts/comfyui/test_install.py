"""The folder for custom_nodes: installed, loaded and replaced."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from semguide.adapters.hosts.comfyui import NODE_CLASS_MAPPINGS
from semguide.adapters.hosts.comfyui.install import install_pack
from support.refusals import refuses


@pytest.fixture
def comfyui(tmp_path: Path) -> Path:
    (tmp_path / "custom_nodes").mkdir()
    (tmp_path / "main.py").touch()
    return tmp_path


def test_the_installed_folder_is_a_module_with_the_nodes(comfyui: Path) -> None:
    folder = install_pack(comfyui)
    assert folder == comfyui / "custom_nodes" / "semguide"
    spec = importlib.util.spec_from_file_location(str(folder), folder / "__init__.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.NODE_CLASS_MAPPINGS is NODE_CLASS_MAPPINGS


def test_a_folder_that_0_1_0_installed_still_gives_the_nodes() -> None:
    with pytest.warns(DeprecationWarning, match=r"semguide\.adapters\.comfyui is now"):
        module = importlib.import_module("semguide.adapters.comfyui")
    assert module.NODE_CLASS_MAPPINGS is NODE_CLASS_MAPPINGS
    assert module.NODE_DISPLAY_NAME_MAPPINGS.keys() == NODE_CLASS_MAPPINGS.keys()


def test_installing_again_replaces_the_pack_and_leaves_nothing_else(comfyui: Path) -> None:
    (install_pack(comfyui) / "old.json").touch()
    folder = install_pack(comfyui)
    assert not (folder / "old.json").exists()
    assert [path.name for path in (comfyui / "custom_nodes").iterdir()] == ["semguide"]


def test_a_folder_that_is_no_comfyui_is_refused(tmp_path: Path) -> None:
    with refuses("path", "must be ComfyUI's folder"):
        install_pack(tmp_path)


def test_what_is_not_the_pack_is_left_alone(comfyui: Path) -> None:
    other = comfyui / "custom_nodes" / "semguide"
    other.mkdir()
    (other / "mine.py").touch()
    with refuses("path", "must have no other custom_nodes/semguide", other):
        install_pack(comfyui)
    assert (other / "mine.py").exists()
