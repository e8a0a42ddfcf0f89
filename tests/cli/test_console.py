import warnings
from typing import Annotated

import pytest
import typer

from semguide.cli.console import only_our_warnings, reported
from semguide.errors import InvalidArgument, MissingExtra, SemguideError, SemguideWarning, UnsupportedPipeline


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (InvalidArgument("steps", "must be 1"), 2, "error: steps must be 1\n"),
        (UnsupportedPipeline("no"), 2, "error: no\n"),
        (SemguideError("no\n network"), 1, "error: no network\n"),
        (
            MissingExtra("this", "web"),
            1,
            "error: this needs the extra 'web': pip install '.[web]' in a clone of semguide's repository\n",
        ),
        (RuntimeError("oh"), 1, "error: RuntimeError: oh\n"),
        (MemoryError(), 1, "error: MemoryError\n"),
        (KeyboardInterrupt(), 1, "error: stopped\n"),
    ],
)
def test_every_error_is_one_sentence_with_its_exit_code(
    error: BaseException,
    code: int,
    sentence: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.delenv("SEMGUIDE_DEBUG", raising=False)

    @reported
    def command() -> None:
        raise error

    with pytest.raises(typer.Exit) as end:
        command()
    assert end.value.exit_code == code
    assert capsys.readouterr().err == sentence


def test_a_command_calls_the_arguments_by_its_options(capsys: pytest.CaptureFixture[str]):
    @reported
    def command(
        prompt: Annotated[str, typer.Argument()] = "",
        num_inference_steps: Annotated[int, typer.Option("--steps", help="Steps.")] = 0,
        best_of: Annotated[int, typer.Option()] = 0,
        max_queue: Annotated[int, typer.Option()] = 0,
    ) -> None:
        warnings.warn(SemguideWarning("the {best_of} is slow", "shorten {prompt}, leave out {best_of}"), stacklevel=1)
        raise InvalidArgument("num_inference_steps", "must fit {queue} and {elsewhere}", "{prompt}", "give {best_of}")

    with pytest.raises(typer.Exit) as end:
        command()
    assert end.value.exit_code == 2
    assert capsys.readouterr().err == (
        "warning: the {best_of} is slow; shorten PROMPT, leave out --best-of\n"
        "error: --steps must fit --max-queue and elsewhere, got '{prompt}'; give --best-of\n"
    )


def test_an_exit_passes_unchanged():
    @reported
    def command() -> None:
        raise typer.Exit(7)

    with pytest.raises(typer.Exit) as end:
        command()
    assert end.value.exit_code == 7


@pytest.mark.parametrize(("value", "shown"), [("1", True), ("0", False), ("", False)])
def test_the_traceback_is_shown_on_request_only(
    value: str, shown: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    @reported
    def command() -> None:
        raise ValueError("x")

    monkeypatch.setenv("SEMGUIDE_DEBUG", value)
    with pytest.raises(typer.Exit):
        command()
    assert ("Traceback" in capsys.readouterr().err) is shown


def test_only_the_warnings_of_semguide_are_shown_each_once(capsys: pytest.CaptureFixture[str]):
    with only_our_warnings():
        for _ in range(2):
            warnings.warn("of a library", UserWarning, stacklevel=1)
            warnings.warn("the prompt\n is long", SemguideWarning, stacklevel=1)
    assert capsys.readouterr().err == "warning: the prompt is long\n"
