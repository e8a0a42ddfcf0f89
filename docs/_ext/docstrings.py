"""Plain docstrings for Sphinx: what reStructuredText would misread is escaped before napoleon reads the sections."""

from __future__ import annotations

import re
from typing import Any

_CODE = re.compile(r"`[^`\n]+`")


def _escaped(line: str) -> str:
    """Make one line of prose safe: `name` is code, and bars and stars are only themselves."""
    parts: list[str] = []
    end = 0
    for match in _CODE.finditer(line):
        parts += [_without_markup(line[end : match.start()]), f"`{match.group()}`"]
        end = match.end()
        if line[end : end + 1].isalnum():  # the s of `Concept`s
            parts.append("\\ ")
    return "".join([*parts, _without_markup(line[end:])])


def _without_markup(text: str) -> str:
    star_arguments = re.match(r"\s*\*{1,2}\w+:", text)  # napoleon knows these itself
    kept = star_arguments.group() if star_arguments else ""
    return kept + re.sub(r"([|*])", r"\\\1", text[len(kept) :])


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def readable(lines: list[str]) -> list[str]:
    """Return a docstring as reStructuredText.

    An indented block after "...:" and an empty line is a formula or a drawing and stays as it is; so does a doctest.
    Other lines lose what reStructuredText would take for markup.
    """
    found: list[str] = []
    block: int | None = None  # the indentation that a literal block must exceed
    for number, line in enumerate(lines):
        if block is not None and line.strip() and _indent(line) <= block:
            block = None
        if block is not None or line.lstrip().startswith(">>>"):
            found.append(line)
            continue
        following = lines[number + 1 : number + 3]
        opens = len(following) == 2 and not following[0] and _indent(following[1]) > _indent(line)
        if line.endswith(":") and opens:
            block = _indent(line)
        found.append(_escaped(line) if block is None else f"{_escaped(line)}:")
    return found


def parameter_lines(documented: Any) -> list[str]:
    """Return the Attributes section of a rule or a benchmark method, from the data of its parameters."""
    from semguide.guidance import Rule
    from semguide.guidance.parameters import parameters_of

    if not isinstance(documented, type) or not issubclass(documented, Rule) or documented is Rule:
        return []
    entries = [f"    {each.name} ({each.values}): {each.help}" for each in parameters_of(documented)]
    return ["", "Attributes:", *entries]


def _process(_app: Any, _what: str, _name: str, documented: Any, _options: Any, lines: list[str]) -> None:
    lines[:] = readable([*lines, *parameter_lines(documented)])


def setup(app: Any) -> dict[str, Any]:
    """Register with Sphinx, before napoleon."""
    app.connect("autodoc-process-docstring", _process, priority=100)
    return {"parallel_read_safe": True}
