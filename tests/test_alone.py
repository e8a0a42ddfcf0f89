"""semguide without semguide-emoji, as a user of real models installs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from support.tiny.stable_diffusion import save_tiny_checkpoint

ALONE = """
import contextlib
import importlib.metadata as metadata
import io
import json
import sys

found = metadata.entry_points
metadata.entry_points = lambda **by: metadata.EntryPoints(
    entry for entry in found(**by) if not entry.value.startswith("semguide_emoji")
) if by else found()
sys.modules["semguide_emoji"] = None
from semguide.cli.main import main

results = []
for arguments in json.loads(sys.argv[1]):
    sys.argv, code = ["semguide", *arguments], 0
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
    results.append((code, out.getvalue(), err.getvalue()))
print(json.dumps(results))
"""
HOW = "pip install ./emoji"
COMMANDS: dict[str, tuple[object, ...]] = {
    "help": ("--help",),
    "concepts": ("concepts", "a red car and a dog"),
    "methods": ("methods",),
    "models": ("models",),
    "suites": ("suites",),
    "generate": ("generate", "a cat"),
    "serve": ("serve", "--port", 0),
    "bench on a suite": ("bench", "--suite", "emoji-ae", "--methods", "cfg", "--out", "out"),
    "bench on prompts": ("bench", "--suite", "mine.txt", "--split", "all", "--methods", "cfg", "--out", "out"),
}


class Done(NamedTuple):
    """What a command left: exit code, and what it printed."""

    returncode: int
    stdout: str
    stderr: str


def call(*commands: tuple[object, ...], folder: Path | None = None) -> list[Done]:
    """Call commands one after another where nothing of semguide-emoji can be found or imported."""
    given = json.dumps([[str(argument) for argument in command] for command in commands])
    process = [sys.executable, "-c", ALONE, given]
    done = subprocess.run(process, capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stderr
    return [Done(*result) for result in json.loads(done.stdout)]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Done]:
    """What each of the commands left, called in one interpreter, as most of their time is its start."""
    folder = tmp_path_factory.mktemp("alone")
    (folder / "mine.txt").write_text("a red car and a dog\n")
    return dict(zip(COMMANDS, call(*COMMANDS.values(), folder=folder), strict=True))


def test_the_help_has_the_commands_that_are_there(done: dict[str, Done]):
    assert done["help"].returncode == 0, done["help"].stderr
    assert "generate" in done["help"].stdout
    assert "train" not in done["help"].stdout


@pytest.mark.parametrize("name", ["concepts", "methods"])
def test_what_needs_no_model_works(name: str, done: dict[str, Done]):
    assert done[name].returncode == 0, done[name].stderr


@pytest.mark.parametrize("name", ["models", "suites"])
def test_what_lists_embedded_things_says_how_to_get_them(name: str, done: dict[str, Done]):
    assert done[name].returncode == 0, done[name].stderr
    assert HOW in " ".join(done[name].stdout.split())


@pytest.mark.parametrize("name", ["generate", "serve"])
def test_a_model_must_be_given(name: str, done: dict[str, Done]):
    assert done[name].returncode == 2
    assert "--model" in done[name].stderr
    assert HOW in done[name].stderr
    assert len(done[name].stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(("name", "missing"), [("bench on a suite", "suite"), ("bench on prompts", "judge")])
def test_a_suite_and_a_judge_are_asked_for_in_one_sentence(name: str, missing: str, done: dict[str, Done]):
    assert done[name].returncode == 2
    assert missing in done[name].stderr
    assert HOW in done[name].stderr


@pytest.mark.slow
def test_the_users_own_model_is_steered_and_measured(tmp_path: Path):
    model = save_tiny_checkpoint(tmp_path / "tiny-sd")
    out = tmp_path / "out"
    once = ("--model", model, "--steps", 2, "--num-images", 1, "--out", out)
    (done,) = call(("generate", "a red car and a dog", *once))
    assert done.returncode == 0, done.stderr
    assert (out / "grid.png").is_file()
    (tmp_path / "mine.txt").write_text("a red car and a dog\n")
    options = ("--methods", "cfg,sgt", "--judge", "none", "--model", model, "--seeds", 1, "--steps", 2)
    suite = ("--suite", tmp_path / "mine.txt", "--split", "all")
    (done,) = call(("bench", *suite, *options, "--out", tmp_path / "bench"))
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_doctor_says_that_the_embedded_models_are_not_there_and_is_content():
    (done,) = call(("doctor", "--json"))
    said = json.loads(done.stdout)
    assert said["healthy"], said
    assert any(HOW in finding["detail"] for finding in said["findings"])
