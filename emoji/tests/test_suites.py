import pytest

from semguide.concepts import decompose
from semguide.evaluation.suites import suite
from semguide_emoji.scenes import NOUNS
from semguide_emoji.suites import SUITES
from support.refusals import refuses

SPLITS = ["test", "test", "test", "validation"]
ALL = [prompt for name in SUITES for prompt in suite(name)]


def test_sizes_are_those_of_the_structure():
    assert len(suite("emoji-single")) == 264
    assert len(suite("emoji-ae")) == 276
    categories = [prompt.category for prompt in suite("emoji-ae")]
    assert [categories.count(name) for name in ("animals", "animals_objects", "objects")] == [66, 144, 66]


@pytest.mark.parametrize("name", SUITES)
def test_prompts_of_a_suite_differ(name: str):
    texts = [prompt.text for prompt in suite(name)]
    assert len(set(texts)) == len(texts)


def test_spans_point_at_the_text_of_their_concepts():
    for prompt in ALL:
        for concept in prompt.concepts:
            assert concept.span is not None
            assert prompt.text[slice(*concept.span)] == concept.text
            assert concept.head in NOUNS or concept.count != 1


@pytest.mark.parametrize("name", ["emoji-single", "emoji-ae"])
def test_decompose_finds_exactly_the_concepts_that_are_known(name: str):
    for prompt in suite(name):
        assert decompose(prompt.text) == list(prompt.concepts)


@pytest.mark.parametrize("name", ["emoji-single", "emoji-ae"])
def test_validation_and_test_are_disjoint_complete_and_about_half_each(name: str):
    parts = {split: {p.text for p in suite(name, split)} for split in ("validation", "test")}
    assert not parts["validation"] & parts["test"]
    assert parts["validation"] | parts["test"] == {p.text for p in suite(name)}
    assert 0.4 < len(parts["test"]) / len(suite(name)) < 0.6


def test_the_split_never_changes():
    """Whatever was tuned on validation prompts must not become a test prompt later."""
    assert {p.text: p.split for p in suite("emoji-ae")[:4]} == {
        "a cat and a dog": SPLITS[0],
        "a cat and a bird": SPLITS[1],
        "a cat and a bear": SPLITS[2],
        "a cat and a lion": SPLITS[3],
    }
    assert suite("emoji-ae") == suite("emoji-ae")


def test_objects_of_a_pair_have_different_colours():
    for prompt in (prompt for prompt in suite("emoji-ae") if prompt.category == "objects"):
        first, second = prompt.concepts
        assert first.attributes != second.attributes


def test_an_unknown_suite_is_refused_listing_the_known_ones():
    with refuses("suite", "must be one of emoji-ae", "emoji-zoo"):
        suite("emoji-zoo")
