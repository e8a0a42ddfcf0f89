from collections.abc import Callable
from pathlib import Path

from typer.testing import Result

Cli = Callable[..., Result]


def test_the_nodes_are_installed_into_a_comfyui(cli: Cli, tmp_path: Path):
    (tmp_path / "custom_nodes").mkdir()
    (tmp_path / "main.py").touch()
    result = cli("comfyui", str(tmp_path))
    assert result.exit_code == 0
    assert (tmp_path / "custom_nodes" / "semguide" / "__init__.py").is_file()
    assert "Restart ComfyUI" in result.stdout


def test_a_folder_that_is_no_comfyui_is_wrong_usage(cli: Cli, tmp_path: Path):
    result = cli("comfyui", str(tmp_path))
    assert result.exit_code == 2
    assert "PATH must be ComfyUI's folder" in result.stderr
