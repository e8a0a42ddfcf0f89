import torch

from semguide_emoji.scenes import SMALL_WORLD, TIDY
from semguide_emoji.training.data import Batches, pixels


def test_a_batch_is_a_function_of_the_seed_and_its_index():
    one, two = Batches(SMALL_WORLD, 32, 4, seed=3), Batches(SMALL_WORLD, 32, 4, seed=3)
    for index in (5, 0, 5, 10**6):
        (a, captions_a), (b, captions_b) = one(index), two(index)
        assert torch.equal(a, b)
        assert captions_a == captions_b


def test_other_seeds_and_other_indices_give_other_batches():
    batches = {
        tuple(map(str, Batches(SMALL_WORLD, 32, 4, seed=seed).scenes(index)[0]))
        for seed in (0, 1)
        for index in (0, 1, 2)
    }
    assert len(batches) == 6


def test_pictures_are_channels_first_from_minus_1_to_1():
    pictures, captions = Batches(SMALL_WORLD, 64, 6)(0)
    assert pictures.shape == (6, 3, 64, 64)
    assert pictures.dtype == torch.float32
    assert -1.0 <= float(pictures.min()) < 0.0 < float(pictures.max()) <= 1.0
    assert len(captions) == 6


def test_the_noise_of_the_captions_changes_no_picture_of_the_first_scene():
    noisy, tidy = Batches(SMALL_WORLD, 32, 4, seed=1), Batches(SMALL_WORLD, 32, 4, seed=1, noise=TIDY)
    assert noisy.scenes(0)[0] == tidy.scenes(0)[0]
    assert noisy.scenes(0)[1] != tidy.scenes(0)[1]


def test_pixels_are_the_rendered_scenes_in_order():
    scenes, _ = Batches(SMALL_WORLD, 32, 3).scenes(0)
    assert torch.equal(pixels(scenes, 32)[1:2], pixels(scenes[1:2], 32))
