from typing import Any

import numpy as np
import torch

from semguide_emoji.judge import COLOUR_CLASSES, Judge, JudgeConfig
from semguide_emoji.scenes import SMALL_WORLD, Scene, SceneObject
from semguide_emoji.training.crowd import crowded
from semguide_emoji.training.data import Batches
from semguide_emoji.training.judge import JudgeRecipe, _targets, disturbed
from semguide_emoji.training.vae import build_vae, encode


def test_targets_are_1_at_the_centres_and_nowhere_else():
    scene = Scene((SceneObject("cat", "red", 0, 0, 8), SceneObject("car", None, 8, 8, 6)), "sky")
    maps, objects = _targets([scene], SMALL_WORLD.nouns, 16)
    assert maps.shape == (1, 24, 16, 16)
    assert [tuple(place) for place in (maps == 1).nonzero().tolist()] == [
        (0, SMALL_WORLD.nouns.index("cat"), 4, 4),
        (0, SMALL_WORLD.nouns.index("car"), 11, 11),
    ]
    red, natural = COLOUR_CLASSES.index("red"), COLOUR_CLASSES.index("natural")
    assert objects.tolist() == [[0, 4, 4, red, 0.5], [0, 11, 11, natural, 0.375]]


def test_a_right_answer_costs_less_than_a_wrong_one():
    torch.manual_seed(0)
    recipe = JudgeRecipe(Judge(JudgeConfig(SMALL_WORLD.nouns, 8, 32)), Batches(SMALL_WORLD, 32, 4))
    rng = np.random.default_rng((recipe.batches.seed, 0, 1))
    scenes = [crowded(scene, SMALL_WORLD, rng) for scene in recipe.batches.scenes(0)[0]]
    target, where = _targets(scenes, SMALL_WORLD.nouns, 8)
    colours, side = torch.zeros(4, len(COLOUR_CLASSES), 8, 8), torch.zeros(4, 8, 8)
    for scene, y, x, colour, size in where.tolist():
        colours[int(scene), int(colour), int(y), int(x)] = 10.0
        side[int(scene), int(y), int(x)] = size

    def cost(centres: torch.Tensor) -> float:
        recipe.model.forward = lambda pictures: (centres, colours, side)
        return float(recipe.loss(0, torch.Generator().manual_seed(0)))

    right = torch.where(target == 1, 8.0, -8.0)
    assert cost(right) < 0.1 * cost(-right)


def test_disturbed_pictures_stay_in_range_and_depend_on_the_generator_alone():
    pictures = Batches(SMALL_WORLD, 32, 6)(0)[0]
    one, two = (disturbed(pictures, torch.Generator().manual_seed(7)) for _ in range(2))
    assert torch.equal(one, two)
    assert one.abs().max() <= 1
    assert 0.0 < float((one - pictures).abs().mean()) < 0.2
    assert not torch.equal(one, disturbed(pictures, torch.Generator().manual_seed(8)))


def test_every_other_picture_is_decoded_from_its_latents_with_noise():
    torch.manual_seed(0)
    vae: Any = build_vae(32, (8, 8, 8, 8), 4)
    recipe = JudgeRecipe(Judge(JudgeConfig(SMALL_WORLD.nouns, 8, 32)), Batches(SMALL_WORLD, 32, 4), vae)
    pictures = Batches(SMALL_WORLD, 32, 4)(0)[0]
    kept = pictures.clone()
    with torch.no_grad():
        one, two, other = (recipe._decoded(pictures, torch.Generator().manual_seed(seed)) for seed in (7, 7, 8))
        latents = encode(vae, pictures[::2])
        restored = vae.decode(latents).sample.clamp(-1, 1)
    assert torch.equal(pictures, kept)
    assert torch.equal(one, two)
    assert torch.equal(one[1::2], pictures[1::2])
    assert not torch.equal(one[::2], other[::2])
    assert 0 < float((one[::2] - restored).abs().mean()) < 0.5 * float((pictures[::2] - restored).abs().mean())
    recipe.loss(0, torch.Generator().manual_seed(0)).backward()
    assert all(p.grad is None for p in vae.parameters())
