"""The notebook: run its cells in order, without Jupyter; and show it as a page of the site.

python docs/_ext/notebook.py FILE            runs it in the current folder, and fails where a cell fails
python docs/_ext/notebook.py FILE --store    and stores what the cells show in it
"""

from __future__ import annotations

import ast
import base64
import contextlib
import io
import json
import sys
from pathlib import Path
from typing import Any

MARK = "<!-- notebook -->"
"""The line of a page in whose place the cells are put."""


def run(notebook: dict[str, Any]) -> dict[str, Any]:
    """Run the code cells of a notebook in one namespace; returns the notebook with their outputs."""
    names: dict[str, Any] = {"__name__": "__main__"}
    cells = [
        {**cell, "outputs": _run_cell("".join(cell["source"]), names)} if cell["cell_type"] == "code" else cell
        for cell in notebook["cells"]
    ]
    return {**notebook, "cells": cells}


def _run_cell(source: str, names: dict[str, Any]) -> list[dict[str, Any]]:
    """Run one cell; what it prints and the value of its last line are its outputs."""
    tree = ast.parse(source)
    end = tree.body[-1] if tree.body else None
    last = ast.Expression(end.value) if isinstance(end, ast.Expr) else None
    if last is not None:
        tree.body.pop()
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, "<cell>", "exec"), names)  # noqa: S102 - the project's own notebook
        value = None if last is None else eval(compile(last, "<cell>", "eval"), names)  # noqa: S307
    outputs: list[dict[str, Any]] = []
    if printed.getvalue():
        outputs.append({"output_type": "stream", "name": "stdout", "text": _lines(printed.getvalue())})
    if value is not None:
        outputs.append({"output_type": "display_data", "metadata": {}, "data": _shown(value)})
    return outputs


def _shown(value: Any) -> dict[str, Any]:
    """Return what Jupyter would show of a value: a picture where it has one, else its text."""
    picture = value._repr_png_() if hasattr(value, "_repr_png_") else None
    if picture is not None:
        return {"image/png": base64.b64encode(picture).decode() + "\n", "text/plain": ["a picture"]}
    return {"text/plain": _lines(repr(value))}


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def as_markdown(notebook: dict[str, Any]) -> str:
    """Return the cells as a MyST page: text, code, and what the code showed."""
    parts: list[str] = []
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
        else:
            parts += [f"```python\n{source}\n```", *map(_output, cell["outputs"])]
    return "\n\n".join(parts) + "\n"


def _output(output: dict[str, Any]) -> str:
    data: dict[str, Any] = output.get("data", {"text/plain": output.get("text", [])})
    if "image/png" in data:
        return f'<img class="output" alt="What the cell shows" src="data:image/png;base64,{data["image/png"].strip()}">'
    return "```{code-block} text\n:class: output\n\n" + "".join(data["text/plain"]).rstrip("\n") + "\n```"


def read(path: Path) -> dict[str, Any]:
    """Read a notebook."""
    return json.loads(path.read_text(encoding="utf-8"))


def store(path: Path, notebook: dict[str, Any]) -> None:
    """Write a notebook as Jupyter does."""
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _fill_in(app: Any, docname: str, content: list[str]) -> None:
    if MARK in content[0]:
        file = Path(app.srcdir).parent / "notebooks" / "semguide.ipynb"
        app.env.note_dependency(str(file), docname=docname)
        content[0] = content[0].replace(MARK, as_markdown(read(file)))


def setup(app: Any) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("source-read", _fill_in)
    return {"parallel_read_safe": True}


if __name__ == "__main__":
    _file = Path(sys.argv[1])
    _done = run(read(_file))
    if "--store" in sys.argv[2:]:
        store(_file, _done)
