from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from semguide_emoji.scenes import BACKGROUNDS, COLOURS, NOUNS, SMALL_WORLD, Scene, SceneObject, World, relation, wear
from semguide_emoji.scenes.scene import GRID, SIZES
from semguide_emoji.scenes.vocabulary import ATTEND_AND_EXCITE_ANIMALS, ATTEND_AND_EXCITE_OBJECTS, WORN
from support.refusals import refuses

WORLDS = {"full": World(), "small": SMALL_WORLD, "crowded": World(object_weights=(0, 0, 0, 1), worn=1.0, step=2)}


def drawn(world: World, count: int = 200) -> list[Scene]:
    return [world.scene(np.random.default_rng(seed)) for seed in range(count)]


def standing(scene: Scene) -> list[SceneObject]:
    return [thing for thing in scene.objects if thing.worn_by is None]


@pytest.fixture(params=WORLDS)
def world(request: pytest.FixtureRequest) -> World:
    return WORLDS[request.param]


def test_the_same_seed_draws_the_same_scene_and_another_seed_another():
    assert drawn(World(), 20) == drawn(World(), 20)
    assert len(set(drawn(World(), 20))) > 15


def test_boxes_lie_inside_the_canvas_on_the_grid(world: World):
    for thing in (thing for scene in drawn(world) for thing in standing(scene)):
        assert 0 <= thing.x <= GRID - thing.size
        assert 0 <= thing.y <= GRID - thing.size
        assert thing.x % world.step == thing.y % world.step == 0


def test_boxes_never_overlap(world: World):
    for scene in drawn(world):
        for a, b in combinations(standing(scene), 2):
            apart = max(abs(a.centre[0] - b.centre[0]), abs(a.centre[1] - b.centre[1]))
            assert apart >= (a.size + b.size) / 2


def test_worn_things_come_after_their_wearer_and_sit_on_it():
    worn = [
        (scene, i) for scene in drawn(World(worn=1.0)) for i, t in enumerate(scene.objects) if t.worn_by is not None
    ]
    assert len(worn) > 50
    for scene, index in worn:
        thing = scene.objects[index]
        assert thing.worn_by is not None
        wearer = scene.objects[thing.worn_by]
        assert thing.worn_by < index
        assert thing.noun in WORN
        assert NOUNS[wearer.noun].category == "animal"
        assert thing.centre[0] == wearer.centre[0]
        assert wearer.y <= thing.centre[1] <= wearer.centre[1]
        assert thing.size < wearer.size


def test_weights_decide_how_many_objects_stand_in_a_scene():
    for count in (1, 2, 3, 4):
        weights = tuple(float(n == count) for n in (1, 2, 3, 4))
        assert {len(standing(scene)) for scene in drawn(World(object_weights=weights), 50)} == {count}


def test_shares_of_0_and_1_are_kept_to():
    natural = {thing.colour for scene in drawn(World(natural=1.0)) for thing in scene.objects}
    coloured = {thing.colour for scene in drawn(World(natural=0.0)) for thing in scene.objects}
    assert natural == {None}
    assert coloured == set(COLOURS)
    assert not any(thing.worn_by is not None for scene in drawn(World(worn=0.0)) for thing in scene.objects)
    alike = drawn(World(repeated=1.0, worn=0.0, object_weights=(0, 1, 1, 1)))
    assert all(len({(thing.noun, thing.colour) for thing in scene.objects}) == 1 for scene in alike)


def test_only_the_nouns_and_colours_of_a_world_occur():
    world = World(nouns=("cat", "car"), colours=("red", "blue"), worn=1.0)
    things = {(thing.noun, thing.colour) for scene in drawn(world) for thing in scene.objects}
    assert things == {(noun, colour) for noun in ("cat", "car") for colour in ("red", "blue", None)}


def test_dark_things_are_not_drawn_on_slate():
    scenes = drawn(replace(World(), colours=("black",), natural=0.0))
    assert {scene.background for scene in scenes} == set(BACKGROUNDS) - {"slate"}


def test_skew_makes_a_noun_prefer_one_colour():
    def most_common(skew: float) -> float:
        world = World(nouns=("car",), natural=0.0, skew=skew, object_weights=(1,))
        colours = [scene.objects[0].colour for scene in drawn(world, 400)]
        return max(colours.count(colour) for colour in COLOURS) / 400

    assert most_common(0.0) < 0.2
    assert most_common(1.0) > 0.35


def test_the_small_world_holds_the_24_nouns_of_attend_and_excite():
    assert set(SMALL_WORLD.nouns) == {*ATTEND_AND_EXCITE_ANIMALS, *ATTEND_AND_EXCITE_OBJECTS}
    assert len(SMALL_WORLD.nouns) == 24
    assert len(NOUNS) >= 60


@pytest.mark.parametrize(
    ("other", "expected"),
    [((0, 6), "right"), ((10, 6), "left"), ((5, 0), "below"), ((6, 12), "above"), ((0, 0), "right")],
)
def test_relation_follows_the_axis_on_which_the_centres_differ_more(other: tuple[int, int], expected: str):
    thing = SceneObject("cat", None, 6, 6, 4)
    assert relation(thing, SceneObject("dog", None, *other, 4)) == expected


def test_relation_turns_around_when_the_objects_are_exchanged():
    opposite = {"left": "right", "right": "left", "above": "below", "below": "above"}
    for scene in drawn(World(object_weights=(0, 1), worn=0.0)):
        a, b = scene.objects
        assert relation(a, b) == opposite[relation(b, a)]


@pytest.mark.parametrize("name", ["natural", "worn", "repeated", "skew"])
@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_a_share_outside_0_to_1_is_refused(name: str, value: float):
    with refuses(name, "must be between 0 (never) and 1 (always)"):
        replace(World(), **{name: value})


@pytest.mark.parametrize("weights", [(), (0.0, 0.0), (1, -1), (1, 1, 1, 1, 1), (float("nan"),)])
def test_weights_that_are_no_weights_are_refused(weights: tuple[float, ...]):
    with refuses("object_weights", "must be 1 to 4 numbers"):
        World(object_weights=weights)


def test_names_outside_the_vocabulary_are_refused():
    with refuses("nouns", "must be names of the vocabulary"):
        World(nouns=("cat", "unicorn"))
    with refuses("colours", "must be names of the vocabulary"):
        World(colours=())
    with refuses("step", "must be 1 or 2"):
        World(step=3)
    with refuses("noun", "must be one of crown, bow, glasses to be worn"):
        wear(SceneObject("cat", None, 0, 0, 8), 0, "hat", None)


def test_only_the_sizes_asked_for_occur():
    scenes = drawn(World(sizes=("small",), worn=0.0), 50)
    assert {thing.size for scene in scenes for thing in scene.objects} == {SIZES["small"]}


def test_an_unknown_size_is_refused():
    with refuses("sizes", "must be names of the vocabulary"):
        World(sizes=("huge",))
