from __future__ import annotations

from typing import Any

import pytest

from semguide.concepts import as_concepts, decompose
from semguide.types import Concept
from support.refusals import refuses


def test_texts_are_found_in_the_prompt_with_head_attributes_and_count() -> None:
    assert as_concepts(["a red book", "two vases"], "a red book and two vases") == [
        Concept("a red book", (0, 10), "book", ("red",), 1),
        Concept("two vases", (15, 24), "vases", (), 2),
    ]


def test_a_found_text_is_written_as_in_the_prompt() -> None:
    (concept,) = as_concepts([" a RED book "], "see A  Red Book")
    assert (concept.text, concept.span) == ("A  Red Book", (4, 15))


@pytest.mark.parametrize(
    ("prompt", "text", "span"),
    [
        ("a (red:1.2) car and a dog", "a red car", (0, 15)),
        ("see a red++ car", "a red car", (4, 15)),
        ("a red car and a [red] car", "a red car", (0, 9)),
    ],
)
def test_a_text_is_found_among_weights_and_stays_without_them(prompt: str, text: str, span: tuple[int, int]) -> None:
    (concept,) = as_concepts([text], prompt)
    assert (concept.text, concept.span) == (text, span)


def test_concepts_found_in_a_prompt_keep_their_spans() -> None:
    prompt = "a (red:1.2) car and a [blue] dog and (a teddy bear:1.3)"
    assert as_concepts(decompose(prompt), prompt) == decompose(prompt)


def test_brackets_that_the_caller_writes_stay() -> None:
    assert as_concepts(["a cat (toy)"], "a cat (toy) and a dog")[0].text == "a cat (toy)"


def test_whole_words_only_are_found() -> None:
    assert as_concepts(["cat"], "a category of cat")[0].span == (14, 17)


def test_a_text_that_is_not_in_the_prompt_has_no_span() -> None:
    assert as_concepts(["a unicorn"], "a cat") == [Concept("a unicorn", None, "unicorn", (), 1)]


def test_without_a_prompt_there_are_no_spans() -> None:
    assert as_concepts(["a cat"], None) == [Concept("a cat", None, "cat", (), 1)]


def test_a_repeated_text_takes_the_next_occurrence() -> None:
    assert [c.span for c in as_concepts(["a dog"] * 3, "a dog and a dog")] == [(0, 5), (10, 15), (0, 5)]


def test_the_callers_choice_is_neither_filtered_nor_ordered() -> None:
    assert [c.text for c in as_concepts(["the mood", "a photo"], "a photo of the mood")] == ["the mood", "a photo"]


def test_a_concept_keeps_what_it_says_and_gets_the_span_of_this_prompt() -> None:
    given = Concept("a cat", (90, 95), "animal", ("small",), 7)
    assert as_concepts([given], "see a cat") == [Concept("a cat", (4, 9), "animal", ("small",), 7)]


def test_a_bare_concept_is_filled() -> None:
    assert as_concepts([Concept("a red cat")], "a red cat") == [Concept("a red cat", (0, 9), "cat", ("red",), 1)]


def test_a_word_of_any_class_or_language_is_accepted() -> None:
    assert [c.head for c in as_concepts(["skating", "🐶", "赤い車"], "skating 🐶 赤い車")] == ["skating", "", ""]


def test_no_items_give_no_concepts() -> None:
    assert as_concepts([], "a cat") == []


@pytest.mark.parametrize("items", ["a cat", b"a cat", None, 3, {"a cat"}])
def test_anything_but_a_list_is_refused(items: Any) -> None:
    with refuses("concepts", "must be a list of texts or Concepts"):
        as_concepts(items, "a cat")


@pytest.mark.parametrize("item", ["", "  ", Concept("")])
def test_a_blank_text_is_refused(item: str | Concept) -> None:
    with refuses("concepts", "must not be blank"):
        as_concepts([item], "a cat")


def test_an_item_that_is_no_text_is_refused() -> None:
    items: Any = [3]
    with refuses("concepts", "must be texts or Concepts"):
        as_concepts(items, "a cat")


def test_a_prompt_that_is_no_text_is_refused() -> None:
    prompt: Any = 3
    with refuses("prompt", "must be a string or None"):
        as_concepts(["a cat"], prompt)
