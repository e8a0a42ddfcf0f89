"""Prompts with marks."""

from __future__ import annotations

import pytest

from semguide.adapters.hosts.prompt import concept_texts, plain


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("a red book", "a red book"),
        ("(a red book:1.3) and a vase", "a red book and a vase"),
        ("a ((red:1.2) book:1.1)", "a red book"),
        (r"a cat \(toy\)", "a cat (toy)"),
        (r"(a \(toy\) cat:1.2)", "a (toy) cat"),
        ("a cat, (embedding:charm.pt:1.2)", "a cat, embedding:charm.pt"),
        ("a [red] book and a [[blue] vase]", "a red book and a blue vase"),
        ("a ([red] book:1.2)", "a red book"),
        (r"a book \[old\]", "a book [old]"),
        ("a [cat:dog:0.5] and a [red|blue] book", "a [cat:dog:0.5] and a [red|blue] book"),
        ("a (book", "a (book"),
        ("", ""),
    ],
)
def test_marks_are_taken_off(prompt: str, text: str) -> None:
    assert plain(prompt) == text


def test_concepts_are_those_of_the_prompt_without_its_marks() -> None:
    assert concept_texts("a (red:1.2) book and (a yellow vase:0.9)") == ["a red book", "a yellow vase"]


def test_an_embedding_belongs_to_the_concept_in_which_it_stands_and_is_none_alone() -> None:
    assert concept_texts("an (embedding:charm:1.2) vase on a shelf, embedding:easy") == [
        "an embedding:charm vase",
        "a shelf",
    ]


def test_own_concepts_stand_as_they_are_one_a_line() -> None:
    assert concept_texts("a red book", " (a blue book:1.2)\n\n a vase \n") == ["(a blue book:1.2)", "a vase"]


def test_blank_lines_ask_for_the_concepts_of_the_prompt() -> None:
    assert concept_texts("a red book", " \n ") == ["a red book"]
