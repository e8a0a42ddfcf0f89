"""`semguide comfyui`: installs the nodes into a ComfyUI."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def comfyui(path: Annotated[Path, typer.Argument(help="ComfyUI's folder: it has main.py and custom_nodes.")]) -> None:
    """Install the nodes into a ComfyUI that runs in this Python; again to update them."""
    from semguide.adapters.hosts.comfyui.install import install_pack

    folder = install_pack(path.expanduser())
    typer.echo(f"Installed {folder}. Restart ComfyUI; the examples are under Workflow > Browse Templates > semguide.")
