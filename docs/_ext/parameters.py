"""The parameters of the methods on the pages of the site, from the same data as those of the command."""

from __future__ import annotations

import json
import re
from typing import Any

MARK = re.compile(r"<!-- parameters of ([a-z0-9-]+) -->")
"""The line of a page in whose place the table of a method is put."""


def table(name: str) -> str:
    """Return the parameters of a rule or a benchmark method as a Markdown table."""
    from semguide.evaluation.sampling_methods import SAMPLING_METHODS
    from semguide.guidance import get_method
    from semguide.guidance.parameters import parameters_of

    rows = [
        f"| `{each.name}` | {json.dumps(each.default)} | {each.values} | {each.help} |"
        for each in parameters_of(SAMPLING_METHODS.get(name) or get_method(name))
    ]
    return "\n".join(["| parameter | default | takes | meaning |", "|---|---|---|---|", *rows])


def filled(page: str) -> str:
    """Return a page with the tables in the place of their marks."""
    return MARK.sub(lambda found: table(found[1]), page)


def _fill_in(_app: Any, _docname: str, content: list[str]) -> None:
    content[0] = filled(content[0])


def setup(app: Any) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("source-read", _fill_in)
    return {"parallel_read_safe": True}
