"""The notebook for Colab: its cells run from top to bottom, here on a tiny model."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from support.docs.scripts import script
from support.docs.snippets import ROOT
from support.tiny.stable_diffusion import save_tiny_checkpoint

NOTEBOOK = ROOT / "notebooks" / "colab.ipynb"
notebook = script("_ext/notebook.py")


def test_the_cells_run_from_top_to_bottom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMGUIDE_MODEL", str(save_tiny_checkpoint(tmp_path / "model")))
    monkeypatch.setenv("SEMGUIDE_STEPS", "3")
    monkeypatch.chdir(tmp_path)
    done = notebook.run(notebook.read(NOTEBOOK))
    shown = [cell["outputs"] for cell in done["cells"] if cell["cell_type"] == "code"]
    assert [bool(outputs) for outputs in shown] == [False, False, True, True]
    assert all("image/png" in outputs[0]["data"] for outputs in shown[2:])


def test_it_installs_both_packages_where_they_are_missing() -> None:
    first = next(cell for cell in notebook.read(NOTEBOOK)["cells"] if cell["cell_type"] == "code")
    source = "".join(first["source"])
    ast.parse(source)
    assert 'find_spec("semguide") is None' in source
    assert all(
        part in source for part in ("semguide @ {REPOSITORY}", "semguide-emoji @ {REPOSITORY}#subdirectory=emoji")
    )
