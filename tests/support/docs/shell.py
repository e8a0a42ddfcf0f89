"""Commands as the pages show them: run where that is quick, else held against what there is."""

from __future__ import annotations

import importlib.util
import re
import runpy
import subprocess
import sys
from argparse import ArgumentParser
from contextlib import redirect_stderr
from io import StringIO
from typing import Any
from unittest.mock import patch

import typer
from typer.testing import CliRunner

from semguide.cli.main import app
from support.docs.snippets import ROOT

QUICK = ("generate", "concepts", "models", "methods", "suites", "doctor", "scenes", "bench")
"""Commands that are run; the others are parsed by the real command."""
FEWER = {
    "generate": {"--steps": "2"},
    "bench": {"--steps": "1", "--limit": "1", "--seeds": "1"},
}
"""Options that a run gets whatever the page says, so that it is quick."""
NOT_HERE = {"--jobs", "--ray", "--device", "--lora"}
"""Options of runs that need more processes, other machines or files of the reader's."""


def check_command(words: list[str]) -> None:
    """Run a command, or check that it is one; raises AssertionError with the reason where it is not."""
    name, *rest = words
    checkers = {"semguide": _semguide, "make": _make, "pip": _pip, "python": _python, "pytest": _files, "curl": _curl}
    if operators := {"|", ">", "&", "&&", ";", "||"} & set(words):
        raise AssertionError(f"nothing here runs {' '.join(sorted(operators))}: write one command a line")
    if name not in checkers:
        raise AssertionError(f"nothing here runs or checks {name!r}: mark the block, <!-- not run: REASON -->")
    checkers[name](rest)


def _semguide(words: list[str]) -> None:
    if words[0].startswith("-") or _is_quick(words, _parsed(words)):
        result = CliRunner().invoke(app, _with_fewer(words))
        assert result.exit_code == 0, f"semguide {' '.join(words)}: {result.output}"


def _parsed(words: list[str]) -> dict[str, Any]:
    """Return the parameters of a `semguide` command as the command itself reads them, without running it."""
    commands: dict[str, Any] = typer.main.get_command(app).commands  # pyright: ignore[reportAttributeAccessIssue]
    assert words[0] in commands, f"semguide has no command {words[0]!r}, only {', '.join(commands)}"
    try:
        return commands[words[0]].make_context(words[0], words[1:]).params
    except Exception as error:
        raise AssertionError(f"semguide {' '.join(words)}: {getattr(error, 'message', error)}") from error


def _is_quick(words: list[str], parameters: dict[str, Any]) -> bool:
    return (
        words[0] in QUICK
        and not NOT_HERE & set(words)
        and "/" not in str(parameters.get("model"))
        and parameters.get("backend") not in ("spacy", "llm")
    )


def _with_fewer(words: list[str]) -> list[str]:
    """Return the words with the quick options in the place of the page's own."""
    if "--from" in words:
        return words
    kept = list(words)
    for option, value in FEWER.get(words[0], {}).items():
        if option in kept:
            kept[kept.index(option) + 1] = value
        else:
            kept += [option, value]
    return kept


def _curl(words: list[str]) -> None:
    command = ["curl", "-sS", "--fail-with-body", "--max-time", "300", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"curl {' '.join(words)}: {done.stdout}{done.stderr}"


def _make(words: list[str]) -> None:
    targets = re.findall(r"^(\w[\w-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    for word in words:
        assert "=" in word or word in targets, f"the Makefile has no target {word!r}, only {', '.join(targets)}"


def _pip(words: list[str]) -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    extras = re.findall(
        r"^([\w-]+) = \[", text.split("[project.optional-dependencies]")[1].split("\n[")[0], re.MULTILINE
    )
    assert words[0] == "install", f"pip {words[0]} is not checked here"
    for asked in re.findall(r"(?:semguide|\.)\[([\w,-]+)\]", " ".join(words)):
        for extra in asked.split(","):
            assert extra in extras, f"semguide has no extra {extra!r}, only {', '.join(extras)}"


def _python(words: list[str]) -> None:
    if words[0] == "-c":
        exec(words[1], {})
    elif words[0] == "-m" and words[1] == "pip":
        _pip(words[2:])
    elif words[0] == "-m" and words[1] == "semguide":
        _semguide(words[2:])
    elif words[0] == "-m":
        assert importlib.util.find_spec(words[1].split(".")[0]), f"there is no module {words[1]!r}"
    else:
        _files(words[:1])
        _files([file for word in words for file in re.findall(r"benchmarks/[\w.-]+", word)])
        _script(words)


class _ArgumentsRead(Exception):
    """A script has read its arguments."""


def _script(words: list[str]) -> None:
    """Let a script read its arguments, and stop it there."""
    read = ArgumentParser.parse_args

    def parse_args(parser: ArgumentParser) -> None:
        read(parser, words[1:])
        raise _ArgumentsRead

    file, said = ROOT / words[0], StringIO()
    beside = patch.object(sys, "path", [str(file.parent), *sys.path])
    with patch.object(ArgumentParser, "parse_args", parse_args), beside, redirect_stderr(said):
        try:
            runpy.run_path(str(file), run_name="__main__")
        except _ArgumentsRead:
            return
        except SystemExit:
            raise AssertionError(f"python {' '.join(words)}: {said.getvalue()}") from None
    raise AssertionError(f"{words[0]} reads no arguments, so nothing checks them")


def _files(words: list[str]) -> None:
    for word in words:
        assert word.startswith("-") or (ROOT / word.split("::")[0]).exists(), f"there is no {word!r}"
