from __future__ import annotations

import numpy as np

from semguide_emoji.scenes import SMALL_WORLD, Scene, SceneObject, render
from semguide_emoji.scenes.scene import GRID
from semguide_emoji.training.crowd import COVERED, CUT_OFF, MOST, _covered, crowded

SCENE = Scene((SceneObject("cat", "red", 0, 0, 8), SceneObject("car", None, 8, 8, 6)), "sky")


def scenes(count: int) -> list[Scene]:
    rng = np.random.default_rng(0)
    return [crowded(SCENE, SMALL_WORLD, rng) for _ in range(count)]


def test_what_is_added_leaves_half_of_everything_to_be_seen_and_has_its_centre_in_the_picture():
    made = scenes(300)
    for scene in made:
        assert scene.objects[:2] == SCENE.objects
        added = scene.objects[2:]
        assert len(added) <= MOST
        for place, thing in enumerate(added):
            assert all(0 < coordinate < GRID for coordinate in thing.centre)
            assert all(_covered(other, thing) <= COVERED for other in scene.objects[: 2 + place])
            assert -CUT_OFF * thing.size <= min(thing.x, thing.y)
    assert {len(scene.objects) for scene in made} == {2, 3, 4, 5}


def test_copies_overlapping_and_cut_off_objects_are_among_them():
    added = [thing for scene in scenes(300) for thing in scene.objects[2:]]
    assert any((thing.noun, thing.colour) == ("cat", "red") for thing in added)
    assert any(thing.noun not in ("cat", "car") for thing in added)
    assert any(min(thing.x, thing.y) < 0 or max(thing.x, thing.y) + thing.size > GRID for thing in added)
    assert any(_covered(SCENE.objects[0], thing) > 0 for thing in added)


def test_the_same_generator_gives_the_same_scenes_and_they_can_be_drawn():
    assert scenes(20) == scenes(20)
    assert render(scenes(20)[-1], 64).shape == (64, 64, 3)


def test_the_share_covered_is_that_of_the_box():
    thing = SceneObject("cat", None, 0, 0, 8)
    assert _covered(thing, SceneObject("cat", None, 4, 4, 8)) == 0.25
    assert _covered(thing, SceneObject("cat", None, 8, 0, 8)) == 0
    assert _covered(thing, SceneObject("cat", None, 2, 2, 4)) == 0.25
