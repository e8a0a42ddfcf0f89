"""semguide without semguide-emoji, as a user of real models installs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from support.tiny.stable_diffusion import save_tiny_checkpoint

ALONE = """
import importlib.metadata as metadata
import sys

found = metadata.entry_points
metadata.entry_points = lambda **by: metadata.EntryPoints(
    entry for entry in found(**by) if not entry.value.startswith("semguide_emoji")
) if by else found()
sys.modules["semguide_emoji"] = None
from semguide.cli.main import main
main()
"""
HOW = "pip install ./emoji"


def semguide(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Call the command line where nothing of semguide-emoji can be found or imported."""
    command = [sys.executable, "-c", ALONE, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_help_has_the_commands_that_are_there():
    done = semguide("--help")
    assert done.returncode == 0, done.stderr
    assert "generate" in done.stdout
    assert "train" not in done.stdout


@pytest.mark.parametrize("arguments", [("concepts", "a red car and a dog"), ("methods",)])
def test_what_needs_no_model_works(arguments: tuple[str, ...]):
    done = semguide(*arguments)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("arguments", [("models",), ("suites",)])
def test_what_lists_embedded_things_says_how_to_get_them(arguments: tuple[str, ...]):
    done = semguide(*arguments)
    assert done.returncode == 0, done.stderr
    assert HOW in " ".join(done.stdout.split())


@pytest.mark.parametrize("arguments", [("generate", "a cat"), ("serve", "--port", 0)])
def test_a_model_must_be_given(arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    done = semguide(*arguments)
    assert done.returncode == 2
    assert "--model" in done.stderr
    assert HOW in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_suite_and_a_judge_are_asked_for_in_one_sentence(tmp_path: Path):
    done = semguide("bench", "--suite", "emoji-ae", "--methods", "cfg", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert HOW in done.stderr
    (tmp_path / "mine.txt").write_text("a red car and a dog\n")
    done = semguide("bench", "--suite", tmp_path / "mine.txt", "--split", "all", "--methods", "cfg", "--out", tmp_path)
    assert done.returncode == 2
    assert "judge" in done.stderr
    assert HOW in done.stderr


@pytest.mark.slow
def test_the_users_own_model_is_steered_and_measured(tmp_path: Path):
    model = save_tiny_checkpoint(tmp_path / "tiny-sd")
    out = tmp_path / "out"
    done = semguide("generate", "a red car and a dog", "--model", model, "--steps", 2, "--num-images", 1, "--out", out)
    assert done.returncode == 0, done.stderr
    assert (out / "grid.png").is_file()
    (tmp_path / "mine.txt").write_text("a red car and a dog\n")
    options = ("--methods", "cfg,sgt", "--judge", "none", "--model", model, "--seeds", 1, "--steps", 2)
    done = semguide("bench", "--suite", tmp_path / "mine.txt", "--split", "all", *options, "--out", tmp_path / "bench")
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_doctor_says_that_the_embedded_models_are_not_there_and_is_content():
    done = semguide("doctor", "--json")
    said = json.loads(done.stdout)
    assert said["healthy"], said
    assert any(HOW in finding["detail"] for finding in said["findings"])
