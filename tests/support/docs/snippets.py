"""What the pages show as code: found by a Markdown parser, with the marker that says why a block is not run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

SERVER = "127.0.0.1:8000"
"""Where `semguide serve` listens unless told otherwise."""
_PYTHON, _SHELL = ("python", "py", "python3", "pycon"), ("sh", "bash", "shell", "console", "zsh")
_MARKER = re.compile(r"<!--\s*not run: (\S.*?)\s*-->", re.DOTALL)
_UNNAMED = {
    "python": re.compile(r"(import|from) \w|>>> "),
    "sh": re.compile(r"\$ |(semguide|pip|python3?|pytest|make|curl) "),
}
"""How a block that names no language begins if it is code to be run."""


@dataclass(frozen=True)
class Snippet:
    """A block of code on a page.

    Attributes:
        page: The file, relative to the root of the repository.
        line: The line before its first one, counted from 1.
        language: "python" or "sh".
        text: The code.
        reason: Why it is not run; None if it is.
    """

    page: str
    line: int
    language: str
    text: str
    reason: str | None = None

    @property
    def asks_server(self) -> bool:
        """Whether it talks to `semguide serve`."""
        return SERVER in self.text and (self.language == "python" or "curl " in self.text)

    @property
    def place(self) -> str:
        """File and line, for messages."""
        return f"{self.page}:{self.line + 1}"


def on_page(page: Path) -> list[Snippet]:
    """Return the Python and shell blocks of a file."""
    return snippets_of(str(page.relative_to(ROOT)), page.read_text(encoding="utf-8"))


def snippets_of(page: str, text: str) -> list[Snippet]:
    """Return the Python and shell blocks of a Markdown text, in order."""
    found: list[Snippet] = []
    reason: str | None = None
    for token in MarkdownIt("commonmark").parse(text):
        if token.type in ("fence", "code_block"):
            language = _language(token.info, token.content)
            if language is not None and token.map is not None:
                line = token.map[0] + (token.type == "fence")
                found.append(Snippet(page, line, language, token.content, reason))
        marker = _MARKER.search(token.content) if token.type == "html_block" else None
        reason = marker.group(1) if marker else None
    return found


def _language(info: str, content: str) -> str | None:
    """Return what a block is to be run as, None for anything but Python and shell."""
    words = info.replace("{code-block}", "").split()
    if not words:
        return next((name for name, begin in _UNNAMED.items() if begin.match(content.lstrip())), None)
    return "python" if words[0] in _PYTHON else "sh" if words[0] in _SHELL else None


def commands_of(text: str) -> Iterator[list[str]]:
    """Yield the words of each command of a shell block; a command may go over several lines."""
    console = text.lstrip().startswith("$ ")
    pending = ""
    for line in text.splitlines():
        if console and not pending and not line.lstrip().startswith("$ "):
            continue  # what the command printed
        pending += line.lstrip().removeprefix("$ ") if not pending else line
        if pending.endswith("\\"):
            pending = pending[:-1]
            continue
        try:
            words = shlex.split(pending, comments=True)
        except ValueError:  # a quotation goes on in the next line
            pending += "\n"
            continue
        pending = ""
        if words:
            yield words
    if pending:
        raise ValueError(f"the block ends inside a command: {pending!r}")
