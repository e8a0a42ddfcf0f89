"""Puts the node pack, one small folder, into a ComfyUI."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from semguide.errors import InvalidArgument

PACK = Path(__file__).with_name("pack")
"""The folder that ComfyUI loads: it imports the nodes from the installed package."""
_MARK = 'name = "semguide"'


def install_pack(comfyui: Path) -> Path:
    """Copy the node pack to custom_nodes/semguide; a pack that is there already is replaced.

    Args:
        comfyui: ComfyUI's folder.

    Returns:
        The folder of the pack.

    Raises:
        InvalidArgument: The folder is no ComfyUI, or something else is where the pack would go.
    """
    nodes = comfyui / "custom_nodes"
    if not nodes.is_dir() or not (comfyui / "main.py").is_file():
        raise InvalidArgument("path", "must be ComfyUI's folder, with main.py and custom_nodes in it", comfyui)
    target = nodes / "semguide"
    if target.is_symlink() or (target.exists() and not _is_pack(target)):
        raise InvalidArgument("path", "must have no other custom_nodes/semguide", target, "move it away first")
    with TemporaryDirectory(dir=nodes, prefix=".semguide-") as folder:
        fresh = shutil.copytree(PACK, Path(folder) / "new", ignore=shutil.ignore_patterns("__pycache__"))
        if target.exists():
            target.rename(Path(folder) / "old")
        fresh.rename(target)
    return target


def _is_pack(folder: Path) -> bool:
    metadata = folder / "pyproject.toml"
    return metadata.is_file() and _MARK in metadata.read_text(encoding="utf-8")
