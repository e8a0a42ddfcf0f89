import numpy as np
import pytest
import torch

from semguide_emoji.scenes import Scene, SceneObject, World
from semguide_emoji.scenes.render import box
from semguide_emoji.training.compositor import Compositor, _keys
from semguide_emoji.training.data import Batches, pixels
from semguide_emoji.training.presets import PRESETS
from support.refusals import refuses

WORLD = World(
    nouns=("cat", "bear", "crown", "bow", "glasses", "car"),
    colours=("red", "white", "black"),
    object_weights=(0.2, 0.3, 0.3, 0.2),
    worn=0.9,
)


@pytest.fixture(scope="module")
def compositor() -> Compositor:
    return Compositor(WORLD, 48, "cpu")


def test_it_draws_what_render_draws(compositor: Compositor):
    scenes = Batches(WORLD, 48, 200, seed=8).scenes(0)[0]
    assert any(thing.worn_by is not None for scene in scenes for thing in scene.objects)
    composed, rendered = compositor(scenes, 48), pixels(scenes, 48)
    assert composed.shape == rendered.shape == (200, 3, 48, 48)
    assert float((composed - rendered).abs().max()) / 2 <= 1 / 255
    assert composed.is_contiguous(memory_format=torch.channels_last)


def test_what_lies_beyond_the_edge_is_cut_off(compositor: Compositor):
    scenes = [Scene((SceneObject("cat", "red", x, y, 8),), "sky", True) for x in (-3, 12, 17) for y in (-9, -2, 11)]
    assert float((compositor(scenes, 48) - pixels(scenes, 48)).abs().max()) / 2 <= 1 / 255


@pytest.mark.parametrize("name", PRESETS)
def test_the_atlas_of_a_preset_holds_whatever_its_worlds_show(name: str):
    preset = PRESETS[name]
    for world in (preset.world, preset.drawn_world):
        keys = set(_keys(world, preset.size))
        rng = np.random.default_rng(3)
        for thing in (thing for _ in range(1500) for thing in world.scene(rng).objects):
            assert (thing.noun, thing.colour, box(thing, preset.size)[2]) in keys


def test_another_size_or_a_stranger_is_refused(compositor: Compositor):
    scene = Scene((SceneObject("dog", None, 0, 0, 8),), "sky")
    with refuses("size", "must be 48, for which the atlas is made"):
        compositor([scene], 64)
    with refuses("scenes", "must be of the world the atlas is made for"):
        compositor([scene], 48)
