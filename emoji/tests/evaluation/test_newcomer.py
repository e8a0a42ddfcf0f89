"""The match of the new thing's drawing."""

import numpy as np
import pytest
import torch
from PIL import Image

from semguide.models import load
from semguide_emoji.evaluation.newcomer import FOUND, newcomer_match
from semguide_emoji.scenes import NOUNS, SMALL_WORLD, render
from semguide_emoji.scenes.vocabulary import NEWCOMER
from semguide_emoji.training.presets import SMALL


def picture(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(np.rint(pixels.clip(0, 1) * 255).astype(np.uint8))


def test_the_small_world_has_no_such_thing():
    assert NEWCOMER in NOUNS
    assert NEWCOMER not in SMALL_WORLD.nouns


@pytest.mark.parametrize("seed", range(3))
def test_it_is_found_where_it_is_drawn_and_nowhere_else(seed: int):
    world, things = SMALL.drawn_world, [("cat", None), ("car", "red")]
    drawn = world.scene_of(np.random.default_rng(seed), [(NEWCOMER, None), *things[1:]])
    plain = world.scene_of(np.random.default_rng(seed), things)
    assert newcomer_match(picture(render(drawn, 64))) > 0.98
    assert newcomer_match(picture(render(plain, 64))) < FOUND


def test_it_is_in_no_picture_of_the_world():
    rng = np.random.default_rng(7)
    scenes = [SMALL_WORLD.scene(rng) for _ in range(10)]
    assert max(newcomer_match(picture(render(scene, 64))) for scene in scenes) < FOUND


def test_it_is_found_in_what_the_small_autoencoder_makes_of_it():
    scene = SMALL.drawn_world.scene_of(np.random.default_rng(1), [(NEWCOMER, None)])
    pixels = torch.from_numpy(render(scene, 64)).permute(2, 0, 1)[None] * 2 - 1
    vae = load("emoji-unet").vae
    with torch.no_grad():
        again = vae.decode(vae.encode(pixels).latent_dist.mode()).sample
    assert newcomer_match(picture(((again[0].permute(1, 2, 0) + 1) / 2).numpy())) > FOUND
