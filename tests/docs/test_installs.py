"""semguide is on no package index, so no file says to install it from one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.docs.snippets import ROOT
from support.repository import tracked

COMMAND = re.compile(r"\b(?:pipx?|uv)\b[^`\n]*?\b(?:install|add)\b([^`\n]*)")
NAMED = re.compile(r"(?<![\w./@-])semguide(?:-emoji)?(?:\[[\w,-]+\])?(?=$|[\s\"=<>~!,)]|'(?!s))(?!\s*@)")
"""The name of a package as an index has it: no path, no address."""


def from_an_index(text: str) -> list[str]:
    """Return the commands of a text that ask an index for semguide."""
    return [found[0] for found in COMMAND.finditer(text) if NAMED.search(found[1])]


def test_no_file_installs_semguide_from_an_index() -> None:
    wrong: dict[str, list[str]] = {}
    for file in tracked():
        if file == Path(__file__).resolve():
            continue
        content = file.read_bytes()
        if b"\0" not in content and (found := from_an_index(content.decode("utf-8", errors="replace"))):
            wrong[str(file.relative_to(ROOT))] = found
    assert wrong == {}


@pytest.mark.parametrize(
    "command",
    [
        "pip install semguide",
        'pip install "semguide[web]"',
        "pip install --no-deps semguide-emoji==0.1.0",
        "uv add semguide",
    ],
)
def test_an_install_from_an_index_is_noticed(command: str) -> None:
    assert from_an_index(f"first `{command}`, then") == [command]


@pytest.mark.parametrize(
    "command",
    [
        "pip install . ./emoji",
        "pip install --no-deps PATH/semguide",
        'pip install "semguide @ git+https://host.example/semguide"',
        "pip install '.[web]'` in a clone of semguide's repository",
    ],
)
def test_an_install_from_a_clone_or_an_address_is_none(command: str) -> None:
    assert from_an_index(command) == []
