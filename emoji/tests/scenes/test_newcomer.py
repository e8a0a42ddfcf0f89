"""The new thing: its drawing, and scenes with it."""

import numpy as np

from semguide_emoji.scenes import NOUNS, Scene, SceneObject, render
from semguide_emoji.scenes.newcomer import NEWCOMER, newcomer, render_newcomer
from semguide_emoji.scenes.sprites import sprite

SCENE = Scene((SceneObject("car", "red", 0, 0, 6), SceneObject("cat", None, 8, 8, 6)), "mint")


def test_the_world_has_no_such_thing():
    assert NEWCOMER not in NOUNS
    assert max(np.abs(newcomer(24) - sprite(noun, None, 24)).mean() for noun in NOUNS) > 0
    assert min(np.abs(newcomer(24) - sprite(noun, None, 24)).mean() for noun in NOUNS) > 0.05


def test_its_drawing_has_premultiplied_colours():
    tile = newcomer(24)
    assert tile.shape == (24, 24, 4)
    assert (tile[..., :3] <= tile[..., 3:] + 0.02).all()
    assert 0.3 < tile[..., 3].mean() < 0.9


def test_it_takes_the_place_of_one_object_and_leaves_the_rest():
    plain, drawn = render(SCENE, 64), render_newcomer(SCENE, 1, 64)
    assert np.array_equal(drawn[:32], plain[:32])
    assert np.abs(drawn[32:56, 32:56] - plain[32:56, 32:56]).max() > 0.3
