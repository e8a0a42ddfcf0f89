from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from semguide.cli.main import app
from support.tiny.stable_diffusion import save_tiny_checkpoint

PROMPT = "a red book and a yellow vase"
Cli = Callable[..., Result]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random Stable Diffusion; tests must not write to it."""
    return save_tiny_checkpoint(tmp_path_factory.mktemp("checkpoint") / "tiny-sd")


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    """Call the command line in an empty working folder."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.delenv("SEMGUIDE_DEBUG", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    for library in ("TRANSFORMERS", "DIFFUSERS", "HF_HUB"):  # the command sets these; so they are reset after a test
        monkeypatch.setenv(f"{library}_VERBOSITY", "error")

    def call(*arguments: object) -> Result:
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return call


@pytest.fixture
def generate(cli: Cli, tiny: Path, tmp_path: Path) -> Cli:
    """Call `semguide generate` on the tiny checkpoint: 2 steps, output in tmp_path / "out" unless told otherwise."""

    def call(*arguments: object, prompt: str = PROMPT, out: Path | None = None) -> Result:
        given = [str(argument) for argument in arguments]
        steps = () if {"--steps", "--evaluations"}.intersection(given) else ("--steps", 2)
        return cli("generate", prompt, "--model", tiny, "--out", out or tmp_path / "out", *steps, *given)

    return call
