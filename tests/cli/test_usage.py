from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from typer.testing import Result

from semguide.models import choose_device
from support.refusals import refuses

Cli = Callable[..., Result]


@pytest.mark.parametrize(
    ("arguments", "typed"),
    [
        (["generate", "a", "red", "book", "--steps", "2"], 'generate "a red book" --steps 2'),
        (["concepts", "a", "red", "book"], 'concepts "a red book"'),
        (["generate", "--steps", "2", "a", "book"], "put the prompt in quotes"),
    ],
)
def test_a_prompt_without_quotes_is_told_so(cli: Cli, arguments: list[str], typed: str):
    result = cli(*arguments)
    assert result.exit_code == 2
    assert "put the prompt in quotes" in result.stderr
    assert typed in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("arguments", "typed"),
    [
        (["a", "red", "book", "--steps", "2"], 'generate "a red book" --steps 2'),
        (["a red book"], 'generate "a red book"'),
    ],
)
def test_a_prompt_without_a_command_is_told_so(cli: Cli, arguments: list[str], typed: str):
    result = cli(*arguments)
    assert result.exit_code == 2
    assert "A prompt goes to a command, in quotes" in " ".join(result.stderr.split())
    assert typed in " ".join(result.stderr.split())


@pytest.mark.parametrize("more", [["--seed", "1", "2"], ["--concept", "a", "red", "book"]])
def test_beside_a_prompt_in_quotes_the_words_of_an_option_are_told_to_be(cli: Cli, more: list[str]):
    result = cli("generate", "a red book and a cat", *more)
    assert result.exit_code == 2
    assert "put what an option is given in quotes" in " ".join(result.stderr.split())
    assert "put the prompt in quotes" not in result.stderr


@pytest.mark.parametrize(("typed", "told"), [("1,1", "--seed must differ"), ("4-1", "write 1..4")])
def test_seeds_that_cannot_be_are_told_by_the_options_name(generate: Cli, typed: str, told: str):
    result = generate("--seed", typed)
    assert (result.exit_code, told in result.stderr) == (2, True)


def test_a_device_in_capitals_is_no_riddle():
    with refuses("device") as caught:
        choose_device("CPU")
    assert caught.value.remedy == "did you mean 'cpu'?"


def test_other_arguments_too_many_are_not_called_a_prompt(cli: Cli):
    result = cli("suites", "a", "b")
    assert result.exit_code == 2
    assert "quotes" not in result.stderr


@pytest.mark.parametrize("command", [[], ["generate"], ["serve"]])
def test_h_is_help(cli: Cli, command: list[str]):
    assert cli(*command, "-h").stdout == cli(*command, "--help").stdout
    assert cli(*command, "-h").exit_code == 0


def test_shell_completion_can_be_had(cli: Cli):
    assert "--install-completion" in cli("--help").stdout


@pytest.mark.parametrize(("typed", "meant"), [("SGT-V2", "sgt-v2"), ("CFG", "cfg"), ("Sega", "sega")])
def test_capitals_in_a_methods_name_are_no_riddle(cli: Cli, typed: str, meant: str):
    result = cli("generate", "a cat", "--method", typed)
    assert result.exit_code == 2
    assert f"did you mean '{meant}'?" in result.stderr


def test_a_torch_for_the_cpu_says_so_where_cuda_is_asked_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(torch.version, "hip", None)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with refuses("device") as caught:
        choose_device("cuda")
    assert "is built for the CPU only: install a build for CUDA" in caught.value.remedy


def test_a_torch_for_cuda_without_a_gpu_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with refuses("device") as caught:
        choose_device("cuda:0")
    assert "nvidia-smi" in caught.value.remedy


@pytest.mark.parametrize("typed", [("--seed", "7,3..4"), ("--seed", "7", "--seed", "3-4")])
def test_a_list_of_seeds_makes_these(generate: Cli, tmp_path: Path, typed: tuple[str, ...]):
    result = generate(*typed)
    assert result.exit_code == 0, result.output
    files = sorted(path.name for path in (tmp_path / "out" / "images").iterdir())
    assert files == [f"sgt-balanced-{seed}.png" for seed in (3, 4, 7)]


@pytest.mark.parametrize(
    ("concepts", "warning"),
    [
        (
            ["a red book, a yellow vase"],
            "'a red book, a yellow vase' is one concept, commas and all; give each of --concept",
        ),
        (
            ["a red book", "a yelow vase"],
            "the prompt does not name the concept 'a yelow vase'; check the spelling of --concept",
        ),
        (["a red book", "a yellow vase"], ""),
    ],
)
def test_concepts_that_look_like_mistakes_are_told_once(generate: Cli, concepts: list[str], warning: str):
    result = generate("--num-images", "1", *(word for concept in concepts for word in ("--concept", concept)))
    assert result.exit_code == 0
    assert result.stderr.count(warning) == (1 if warning else len(result.stderr) + 1)


def test_concepts_to_stay_away_from_need_not_be_in_the_prompt(generate: Cli):
    result = generate("--num-images", "1", "--method", "perp-neg", "--concept", "rain")
    assert result.exit_code == 0
    assert "does not name" not in result.stderr
