"""The table of model families, for `semguide models --families` and docs/models.md.

`python -m semguide.cli.families docs/models.md` writes the table into that file.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from semguide.errors import InvalidArgument
from semguide.files import write_text

START, END = "<!-- families: written by python -m semguide.cli.families -->", "<!-- end of families -->"
COLUMNS = ("family", "pipelines", "hooked", "cost", "tested", "limits")
REFUSED, GUIDER, GUIDED_COST = "refused", "guider", "2 (+ K) evaluations in 2 (+ K) calls"


def entries() -> Iterator[dict[str, str]]:
    """Yield the rows: families that are steered, by `steer` or by the guider, then those refused, with the reason."""
    from semguide.adapters.pipelines.families.registry import FAMILIES, GUIDED
    from semguide.adapters.pipelines.families.registry import REFUSED as OTHERS

    for row in FAMILIES:
        pipelines = ", ".join(row.pipelines)
        refused = ", ".join(f"{limit.name} (`{limit.key}`)" for limit in row.limits)
        limits = " ".join(filter(None, (row.notes, f"Refused: {refused}." if refused else "")))
        yield dict(zip(COLUMNS, (row.family, pipelines, row.mechanism, row.cost, row.tested, limits), strict=True))
    for guided in GUIDED:
        name, pipelines = f"{guided.family} ({GUIDER})", ", ".join(guided.pipelines)
        yield dict(zip(COLUMNS, (name, pipelines, GUIDER, GUIDED_COST, guided.tested, guided.notes), strict=True))
    for other in OTHERS:
        pipelines = ", ".join(other.pipelines)
        yield dict(zip(COLUMNS, (other.family, pipelines, REFUSED, "", "the refusal", other.reason), strict=True))


def markdown() -> str:
    """Return the table in Markdown."""
    lines = [" | ".join(COLUMNS), "|".join(["---"] * len(COLUMNS))]
    lines += [" | ".join(_cell(column, entry[column]) for column in COLUMNS) for entry in entries()]
    return "".join(f"| {line} |\n" for line in lines)


def with_table(text: str) -> str:
    """Return a page with the table between its two marks.

    Raises:
        InvalidArgument: A mark is missing.
    """
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise InvalidArgument("file", f"must have the lines {START!r} and {END!r}, between which the table belongs")
    return f"{before}{START}\n\n{markdown()}\n{END}{after}"


def _cell(column: str, value: str) -> str:
    if column != "pipelines":
        return value
    return ", ".join(f"`{name}`" for name in value.split(", "))


def main() -> None:
    """Write the table into the file that is named on the command line."""
    path = Path(sys.argv[1])
    write_text(path, with_table(path.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
