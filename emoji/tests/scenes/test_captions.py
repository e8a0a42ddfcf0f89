from dataclasses import replace

import numpy as np
import pytest

from semguide.concepts import decompose
from semguide_emoji.scenes import (
    COLOURS,
    NOUNS,
    SMALL_WORLD,
    TIDY,
    CaptionNoise,
    Scene,
    SceneObject,
    World,
    caption,
    noun_phrase,
    relation,
)
from support.refusals import refuses

PAIRS = World(object_weights=(0, 1), worn=0.0, repeated=0.0)
WORDS = {"left": ("left of",), "right": ("right of",), "above": ("above", "over"), "below": ("below", "under")}


def captioned(world: World, seed: int, noise: CaptionNoise = TIDY) -> tuple[Scene, str]:
    rng = np.random.default_rng(seed)
    scene = world.scene(rng)
    return scene, caption(scene, rng, noise)


def phrases(scene: Scene) -> set[str]:
    """The noun phrases that a tidy caption has; a phrase said twice is one concept."""
    standing = [thing for thing in scene.objects if thing.worn_by is None]
    if len(standing) > 1 and len({(thing.noun, thing.colour) for thing in standing}) == 1:
        return {noun_phrase(standing[0].noun, standing[0].colour, len(standing))}
    return {noun_phrase(thing.noun, thing.colour) for thing in scene.objects}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("car", "red"), "a red car"),
        (("apple", None), "an apple"),
        (("apple", "orange"), "an orange apple"),
        (("mouse", None, 3), "three mice"),
        (("fish", "blue", 2), "two blue fish"),
        (("apple", "red", 1, False), "red apple"),
    ],
)
def test_noun_phrases_are_english(arguments: tuple[str, str | None], expected: str):
    assert noun_phrase(*arguments) == expected


@pytest.mark.parametrize("world", [World(), SMALL_WORLD, World(worn=0.5, object_weights=(1, 1, 1, 1))])
def test_a_tidy_caption_names_every_object_with_its_colour(world: World):
    for seed in range(150):
        scene, text = captioned(world, seed)
        assert all(phrase in text for phrase in phrases(scene)), text


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_decompose_splits_a_tidy_caption_into_exactly_its_noun_phrases(count: int):
    world = World(object_weights=tuple(float(n == count) for n in (1, 2, 3, 4)))
    for seed in range(100):
        scene, text = captioned(world, seed)
        assert {concept.text for concept in decompose(text)} == phrases(scene), text


def test_decompose_knows_noun_colour_and_number_of_a_tidy_caption():
    for seed in range(100):
        scene, text = captioned(PAIRS, seed)
        expected = {(thing.noun, (thing.colour,) if thing.colour else (), 1) for thing in scene.objects}
        assert {(c.head, c.attributes, c.count) for c in decompose(text)} == expected


def test_position_words_agree_with_the_geometry():
    said = set[str]()
    for seed in range(200):
        scene, text = captioned(PAIRS, seed)
        first, second = sorted(scene.objects, key=lambda thing: text.index(noun_phrase(thing.noun, thing.colour)))
        where = relation(first, second)
        between = text[len(noun_phrase(first.noun, first.colour)) : -len(noun_phrase(second.noun, second.colour))]
        assert any(word in between for word in WORDS[where]), text
        said.add(where)
    assert said == set(WORDS)


def test_equal_objects_are_counted():
    things = tuple(SceneObject("mouse", "blue", 4 * i, 0, 4) for i in range(3))
    assert caption(Scene(things, "sky"), np.random.default_rng(0)) == "three blue mice"


def test_the_same_generator_gives_the_same_caption():
    assert [captioned(World(), s, CaptionNoise())[1] for s in range(30)] == [
        captioned(World(), s, CaptionNoise())[1] for s in range(30)
    ]


def test_dropping_all_colours_leaves_none():
    noise = replace(TIDY, drop_colour=1.0)
    texts = [captioned(World(natural=0.0), seed, noise)[1] for seed in range(100)]
    assert not any(set(text.replace(",", "").split()) & set(COLOURS) for text in texts)


def test_dropping_all_objects_still_mentions_one():
    noise = replace(TIDY, drop_object=1.0)
    for seed in range(100):
        scene, text = captioned(PAIRS, seed, noise)
        assert text == noun_phrase(scene.objects[0].noun, scene.objects[0].colour)


def test_dropping_all_relations_says_no_position():
    noise = replace(TIDY, drop_relation=1.0)
    texts = [captioned(PAIRS, seed, noise)[1] for seed in range(100)]
    assert not any(word in text.split() for text in texts for word in ("left", "right", "above", "under"))


def test_prefix_1_opens_every_caption_with_one():
    texts = [captioned(World(), seed, replace(TIDY, prefix=1.0))[1] for seed in range(50)]
    assert all(text.split(" of ")[0] in {"a photo", "a picture", "an image", "an illustration"} for text in texts)


def test_article_1_spoils_every_article():
    world = World(nouns=("apple",), natural=1.0, object_weights=(1,), worn=0.0)
    texts = {captioned(world, seed, replace(TIDY, article=1.0))[1] for seed in range(50)}
    assert texts == {"a apple", "apple"}


@pytest.mark.parametrize("name", vars(TIDY))
@pytest.mark.parametrize("value", [-0.01, 1.01, float("nan")])
def test_a_share_outside_0_to_1_is_refused(name: str, value: float):
    with refuses(name, "must be between 0 (never) and 1 (always)"):
        CaptionNoise(**{name: value})


def test_noun_phrases_of_nothing_are_refused():
    with refuses("noun", "must be one of cat"):
        noun_phrase("unicorn", None)
    for count in (0, 5):
        with refuses("count", "must be from 1 to 4"):
            noun_phrase("cat", None, count)


def test_every_plural_is_spelled_out_or_ends_in_s():
    irregular = {noun.name: noun.plural for noun in NOUNS.values() if noun.plural != noun.name + "s"}
    assert irregular["mouse"] == "mice"
    assert irregular["butterfly"] == "butterflies"
    assert irregular["sheep"] == "sheep"
