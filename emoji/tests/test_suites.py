import hashlib
from collections import Counter

import pytest

from semguide.concepts import decompose
from semguide.evaluation.suites import SuitePrompt, limited, suite
from semguide_emoji.scenes import COLOURS, NOUNS
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
    with refuses("suite", "emoji-ae, emoji-complex", "emoji-zoo"):
        suite("emoji-zoo")


@pytest.fixture(scope="module")
def geneval() -> list[SuitePrompt]:
    return suite("emoji-geneval")


def of(category: str, prompts: list[SuitePrompt]) -> list[SuitePrompt]:
    return [prompt for prompt in prompts if prompt.category == category]


def test_the_suites_have_the_categories_and_sizes_that_their_descriptions_state(geneval: list[SuitePrompt]):
    sizes = {"single_object": 24, "two_object": 100, "counting": 72, "colors": 96, "position": 100, "color_attr": 100}
    assert Counter(prompt.category for prompt in geneval) == sizes
    assert Counter(prompt.category for prompt in suite("emoji-complex")) == {"three": 100, "four": 100}


@pytest.mark.parametrize("name", SUITES)
def test_every_concept_stands_in_its_prompt_and_no_prompt_occurs_twice(name: str):
    prompts = suite(name)
    assert len({prompt.text for prompt in prompts}) == len(prompts)
    for prompt in prompts:
        for concept in prompt.concepts:
            assert concept.span is not None
            assert prompt.text[slice(*concept.span)] == concept.text


@pytest.mark.parametrize("name", SUITES)
def test_the_splits_are_disjoint_and_each_holds_a_fair_share(name: str):
    validation, test = suite(name, "validation"), suite(name, "test")
    assert len(validation) + len(test) == len(suite(name))
    assert 0.35 < len(test) / len(suite(name)) < (0.8 if name == "emoji-pairs" else 0.65)


def test_fresh_pairs_are_in_no_other_suite_and_enough_to_decide():
    prompts = suite("emoji-pairs")
    others = {prompt.text for name in SUITES if name != "emoji-pairs" for prompt in suite(name)}
    assert not others & {prompt.text for prompt in prompts}
    assert len(suite("emoji-pairs", "test")) >= 600
    assert len(suite("emoji-pairs", "validation")) >= 200
    coloured = {"no_colour": [0, 0], "one_colour": [0, 1], "two_colours": [1, 1]}
    assert all([len(c.attributes) for c in prompt.concepts] == coloured[prompt.category] for prompt in prompts)
    digest = hashlib.sha256("\n".join(prompt.text for prompt in prompts).encode()).hexdigest()
    assert digest.startswith("b99d26ebc787d01e")


def test_prompts_never_change():
    """Published numbers depend on them."""
    texts = [prompt.text for name in ("emoji-geneval", "emoji-complex") for prompt in suite(name)]
    assert hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16] == "67ba882ef07f6983"
    assert "a bow left of an elephant" in texts
    assert "an orange bear and a blue backpack" in texts
    assert "a blue dog, a gray bird, a yellow frog and an orange backpack" in texts


def test_counting_asks_for_exactly_two_three_or_four(geneval: list[SuitePrompt]):
    counting = of("counting", geneval)
    assert Counter(prompt.concepts[0].count for prompt in counting) == {2: 24, 3: 24, 4: 24}
    assert all(prompt.exact for prompt in counting)
    assert not any(prompt.exact for prompt in geneval if prompt.category != "counting")
    assert {"two mice", "three benches", "four cats"} <= {prompt.text for prompt in counting}


def test_positions_are_said_in_the_prompt_and_all_occur_equally_often(geneval: list[SuitePrompt]):
    placed = of("position", geneval)
    assert Counter(prompt.position for prompt in placed) == {"left": 25, "right": 25, "above": 25, "below": 25}
    words = {"left": "left of", "right": "right of", "above": "above", "below": "below"}
    for prompt in placed:
        assert prompt.position is not None
        first, second = (concept.text for concept in prompt.concepts)
        assert prompt.text == f"{first} {words[prompt.position]} {second}"


def test_things_of_one_prompt_differ_in_noun_and_colour(geneval: list[SuitePrompt]):
    for prompt in [*of("color_attr", geneval), *suite("emoji-complex")]:
        assert len({concept.head for concept in prompt.concepts}) == len(prompt.concepts)
        colours = [concept.attributes[0] for concept in prompt.concepts]
        assert len(set(colours)) == len(colours)
        assert set(colours) <= set(COLOURS)


def test_a_smaller_choice_of_prompts_is_part_of_a_larger_one_and_in_order(geneval: list[SuitePrompt]):
    few, many = limited(geneval, 20), limited(geneval, 60)
    assert (len(few), len(many)) == (20, 60)
    assert set(few) < set(many)
    assert many == [prompt for prompt in geneval if prompt in many]
    assert len({prompt.category for prompt in many}) == 6
    assert limited(geneval, None) == limited(geneval, 10_000) == geneval
