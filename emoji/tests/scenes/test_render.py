import numpy as np
import pytest

from semguide_emoji.scenes import BACKGROUNDS, SMALL_WORLD, Scene, SceneObject, World, render
from support.refusals import refuses

RED_CAR = SceneObject("car", "red", 2, 4, 8)


@pytest.mark.parametrize("size", [64, 128])
def test_a_picture_has_the_size_asked_for_and_values_from_0_to_1(size: int):
    for seed in range(10):
        picture = render(World().scene(np.random.default_rng(seed)), size)
        assert picture.shape == (size, size, 3)
        assert picture.dtype == np.float32
        assert picture.min() >= 0.0
        assert picture.max() <= 1.0


@pytest.mark.parametrize("size", [64, 128])
def test_only_pixels_inside_the_box_differ_from_the_background(size: int):
    empty, picture = render(Scene((), "sky"), size), render(Scene((RED_CAR,), "sky"), size)
    changed = np.abs(picture - empty).max(axis=-1) > 1e-3
    rows, columns = np.nonzero(changed)
    cell = size // 16
    assert 4 * cell <= rows.min() <= rows.max() < 12 * cell
    assert 2 * cell <= columns.min() <= columns.max() < 10 * cell
    assert changed.sum() > 0.3 * (8 * cell) ** 2


def test_both_sizes_show_the_same_picture():
    for seed in range(10):
        scene = SMALL_WORLD.scene(np.random.default_rng(seed))
        halved = render(scene, 128).reshape(64, 2, 64, 2, 3).mean(axis=(1, 3))
        assert np.abs(halved - render(scene, 64)).mean() < 0.02


def test_later_objects_are_painted_over_earlier_ones():
    a, b = SceneObject("heart", "red", 4, 4, 8), SceneObject("heart", "blue", 4, 4, 8)
    red, green, blue = render(Scene((a, b), "cream"), 64)[32, 32]
    assert blue > max(red, green)


def test_a_soft_background_darkens_downwards_and_a_plain_one_does_not():
    soft, plain = render(Scene((), "sand", soft=True), 64), render(Scene((), "sand"), 64)
    assert (np.diff(soft[:, 0, 1]) <= 0).all()
    assert soft[0, 0, 1] > soft[-1, 0, 1]
    assert plain.std(axis=(0, 1)).max() < 1e-4
    np.testing.assert_allclose(plain[0, 0] * 255, BACKGROUNDS["sand"], atol=1e-3)


def test_rendering_does_not_change_what_is_rendered_next():
    scene = Scene((RED_CAR,), "mint", soft=True)
    first = render(scene, 64)
    first[:] = 0
    assert render(scene, 64).mean() > 0.1
    np.testing.assert_array_equal(render(Scene((), "mint"), 64)[0, 0], render(Scene((), "mint"), 64)[40, 20])


def test_a_thing_that_sticks_out_is_cut_off():
    assert (
        render(Scene((SceneObject("crown", "red", -2, -3, 6), SceneObject("cat", None, 40, 0, 6)), "rose"), 64).max()
        <= 1
    )


def test_what_cannot_be_drawn_is_refused():
    with refuses("size", "must be at least 16 pixels"):
        render(Scene((), "sky"), 8)
    with refuses("background", "must be one of cream"):
        render(Scene((), "forest"), 64)
