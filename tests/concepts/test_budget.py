from __future__ import annotations

from typing import Any

import pytest

from semguide.concepts import decompose
from semguide.concepts.budget import MAX_CONCEPTS, choose, rank, within_budget
from semguide.types import Concept
from support.refusals import refuses

LONG = (
    "a cat with a red hat and a dog with a blue collar on a surface near three green balls, a bench, a kite and a drum"
)


def kept(prompt: str, most: int) -> list[str]:
    return [concept.text for concept in within_budget(prompt, decompose(prompt), most)[0]]


def ranked(prompt: str) -> list[str]:
    concepts = decompose(prompt)
    return [concepts[index].text for index in rank(prompt, concepts)]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("in a field a mule", ["a mule", "a field"]),
        ("a mule, an object and a cart", ["a mule", "a cart", "an object"]),
        ("a mule, a cart and three bells", ["a mule", "three bells", "a cart"]),
        ("a mule, a cart and a red bell", ["a mule", "a red bell", "a cart"]),
        ("a mule, a cart and a bell", ["a mule", "a cart", "a bell"]),
        ("a mule with a saddle and a cart", ["a mule", "a cart", "a saddle"]),
    ],
)
def test_rank_puts_subjects_concrete_first_counted_and_coloured_things_first(prompt: str, expected: list[str]) -> None:
    assert ranked(prompt) == expected


def test_what_fits_is_kept_and_parts_are_merged_into_their_wholes() -> None:
    few, left_out = within_budget(LONG, decompose(LONG), 8)
    assert [concept.text for concept in few] == [
        "a cat with a red hat",
        "a dog with a blue collar",
        "a surface",
        "three green balls",
        "a bench",
        "a kite",
        "a drum",
    ]
    assert few[0].span == (0, 20)
    assert left_out == []


@pytest.mark.parametrize(
    ("prompt", "most", "expected"),
    [
        ("a man wearing a coat and a scarf, and a mule", 8, ["a man wearing a coat and a scarf", "a mule"]),
        ("a girl with a hat with a ribbon and a mule", 8, ["a girl with a hat with a ribbon", "a mule"]),
        ("a man wearing a coat", 8, ["a man", "a coat"]),
        ("a man wearing a coat", 1, ["a man wearing a coat"]),
        ("a mule with a cart and a hen", 8, ["a mule", "a cart", "a hen"]),
    ],
)
def test_parts_stay_apart_only_where_one_concept_would_be_left(prompt: str, most: int, expected: list[str]) -> None:
    assert kept(prompt, most) == expected


def test_the_least_telling_are_left_out_and_the_order_of_the_prompt_is_kept() -> None:
    few, left_out = within_budget(LONG, decompose(LONG), 3)
    assert [concept.text for concept in few] == [
        "a cat with a red hat",
        "a dog with a blue collar",
        "three green balls",
    ]
    assert [concept.text for concept in left_out] == ["a bench", "a kite", "a drum", "a surface"]


def test_eight_are_kept_unless_told_otherwise() -> None:
    prompt = ", ".join(f"a {noun}" for noun in ["cat", "dog", "cow", "pig", "hen", "fox", "owl", "bat", "bee", "ant"])
    few, left_out = within_budget(prompt, decompose(prompt))
    assert MAX_CONCEPTS == len(few) == 8
    assert [concept.text for concept in left_out] == ["a bee", "a ant"]


def test_concepts_without_a_span_are_never_merged() -> None:
    concepts = [Concept("a cat"), Concept("a hat", part_of="a cat")]
    assert within_budget("a dog", concepts, 1) == ([concepts[0]], [concepts[1]])


@pytest.mark.parametrize("most", [0, -1, 2.5, True, "8"])
def test_a_budget_of_none_is_refused(most: Any) -> None:
    with refuses("max_concepts", "must be a whole number >= 1"):
        within_budget("a cat", [], most)


def test_what_is_not_read_is_left_out_before_the_budget_and_both_are_told_in_one_sentence() -> None:
    prompt = "a cat, a dog, a cow and a pig"
    found = choose(prompt, decompose(prompt), 2, reads=lambda concept: concept.text != "a dog")
    assert [concept.text for concept in found.kept] == ["a cat", "a cow"]
    assert [concept.text for concept in found.found] == ["a cat", "a dog", "a cow", "a pig"]
    assert str(found.warning) == (
        "2 of 4 concepts in the prompt are steered, without 'a pig' (more than 2) and 'a dog' (beyond what the text "
        "encoder reads); name those to keep with concepts, or raise max_concepts"
    )


def test_nothing_is_told_where_nothing_is_left_out() -> None:
    assert choose("a cat", decompose("a cat"), 1).warning is None
