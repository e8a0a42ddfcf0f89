from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.docs.scripts import script
from support.docs.snippets import ROOT

NOTEBOOK = ROOT / "notebooks" / "semguide.ipynb"
notebook = script("_ext/notebook.py")


def cells(*sources: str) -> dict[str, Any]:
    return {"cells": [{"cell_type": "code", "source": [source], "outputs": []} for source in sources]}


@pytest.mark.slow
def test_the_tour_runs_from_top_to_bottom(tmp_path: Path):
    command = [sys.executable, str(ROOT / "docs" / "_ext" / "notebook.py"), str(NOTEBOOK)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "trajectory.png").is_file()


def test_the_tour_is_small_and_every_cell_is_python_that_shows_what_it_did():
    stored = notebook.read(NOTEBOOK)
    assert NOTEBOOK.stat().st_size < 1_000_000
    code = [cell for cell in stored["cells"] if cell["cell_type"] == "code"]
    assert len(code) > 5
    for cell in code:
        ast.parse("".join(cell["source"]))
        assert cell["outputs"], cell["source"]
        assert all(output["output_type"] != "error" for output in cell["outputs"])


def test_cells_share_their_names_and_show_what_they_print_and_their_last_value():
    done = notebook.run(cells("a = 2\nprint('two')", "a + 1", "a = 5"))
    assert [cell["outputs"] for cell in done["cells"]] == [
        [{"output_type": "stream", "name": "stdout", "text": ["two\n"]}],
        [{"output_type": "display_data", "metadata": {}, "data": {"text/plain": ["3"]}}],
        [],
    ]


def test_a_picture_is_shown_as_a_picture():
    done = notebook.run(cells("from PIL import Image\nImage.new('RGB', (2, 2))"))
    assert "image/png" in done["cells"][0]["outputs"][0]["data"]
    assert '<img class="output" alt=' in notebook.as_markdown(done)


def test_a_cell_that_fails_stops_the_run():
    with pytest.raises(NameError):
        notebook.run(cells("a = 1", "nobody"))


def test_what_is_stored_is_what_was_run(tmp_path: Path):
    done = notebook.run(cells("'ä'"))
    notebook.store(tmp_path / "a.ipynb", done)
    assert notebook.read(tmp_path / "a.ipynb") == done
    assert json.loads((tmp_path / "a.ipynb").read_text(encoding="utf-8")) == done
