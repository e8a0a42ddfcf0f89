"""The match of the new thing's drawing."""

import numpy as np
import pytest
from PIL import Image

from semguide_emoji.evaluation.newcomer import FOUND, newcomer_match
from semguide_emoji.scenes import SMALL_WORLD, render
from semguide_emoji.scenes.newcomer import render_newcomer
from semguide_emoji.training.presets import SMALL


def picture(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(np.rint(pixels * 255).astype(np.uint8))


@pytest.mark.parametrize("seed", range(3))
def test_it_is_found_where_it_is_drawn_and_nowhere_else(seed: int):
    rng = np.random.default_rng(seed)
    scene = SMALL.drawn_world.scene_of(rng, [("cat", None), ("car", "red")])
    assert newcomer_match(picture(render_newcomer(scene, 0, 64))) > 0.98
    assert newcomer_match(picture(render(scene, 64))) < FOUND


def test_it_is_in_no_picture_of_the_world():
    rng = np.random.default_rng(7)
    scenes = [SMALL_WORLD.scene(rng) for _ in range(10)]
    assert max(newcomer_match(picture(render(scene, 64))) for scene in scenes) < FOUND
