import json
from collections.abc import Callable

import pytest
from typer.testing import Result

Cli = Callable[..., Result]


def test_concepts_are_listed_in_a_table(cli: Cli):
    result = cli("concepts", "a red book and a yellow vase")
    assert result.exit_code == 0
    assert all(text in result.stdout for text in ("a red book", "a yellow vase", "book", "yellow", "0-10", "15-28"))


def test_concepts_are_printed_as_json(cli: Cli):
    book, vase = json.loads(cli("concepts", "a red book and a yellow vase", "--json").stdout)
    facts = {"text": "a red book", "span": [0, 10], "head": "book", "attributes": ["red"], "count": 1, "part_of": None}
    assert book == {**facts, "kept": True}
    assert vase["text"] == "a yellow vase"


def test_markup_in_a_prompt_is_shown_as_text(cli: Cli):
    result = cli("concepts", "a [bold]red[/bold] book and a vase")
    assert result.exit_code == 0
    assert "vase" in result.stdout


def test_no_concept_is_a_warning_and_an_empty_list(cli: Cli):
    result = cli("concepts", "beautiful, 8k", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, [])
    assert result.stderr.startswith("warning: no concepts found in this prompt; name the concepts")


def test_a_prompt_that_is_not_english_is_told_so(cli: Cli):
    result = cli("concepts", "ein roter Hund auf dem Tisch")
    assert "English only; name the concepts, or use the llm back end" in result.stderr


def test_what_is_over_the_most_concepts_is_shown_and_told_as_not_kept(cli: Cli):
    result = cli("concepts", "a cat, a dog and a cow", "--max-concepts", "2", "--json")
    kept = {entry["text"]: entry["kept"] for entry in json.loads(result.stdout)}
    assert kept == {"a cat": True, "a dog": True, "a cow": False}
    assert "2 of 3 concepts in the prompt are steered, without 'a cow' (more than 2)" in result.stderr
    assert "name those to keep with --concept of semguide generate, or raise --max-concepts" in result.stderr
    assert "no" in cli("concepts", "a cat, a dog and a cow", "--max-concepts", "2").stdout.splitlines()[-2]


def test_what_the_text_encoder_of_a_model_does_not_read_is_not_kept(cli: Cli):
    prompt = "a cat" + " and very big" * 40 + " and a dog"
    assert [e["kept"] for e in json.loads(cli("concepts", prompt, "--json").stdout)] == [True, True]
    result = cli("concepts", prompt, "--model", "emoji-unet", "--json")
    assert {e["text"]: e["kept"] for e in json.loads(result.stdout)} == {"a cat": True, "a dog": False}
    assert "'a dog' (beyond what the text encoder reads)" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([""], "PROMPT"),
        (["a cat", "--model", "emoji-unit"], "model must be"),
        (["a cat", "--backend", "lexikon"], "did you mean 'lexicon'?"),
        (["a cat", "--max-concepts", "0"], "--max-concepts must be a whole number >= 1"),
    ],
)
def test_wrong_usage_is_refused(cli: Cli, arguments: list[str], named: str):
    result = cli("concepts", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert named in result.stderr
