from functools import cache

import numpy as np
import pytest

from semguide_emoji.scenes import COLOURS, NOUNS
from semguide_emoji.scenes.sprites import TILE, sprite
from support.refusals import refuses

NAMES = list(COLOURS)
PALETTE = np.array([COLOURS[name] for name in NAMES]) / 255


def plain(noun: str, colour: str | None) -> tuple[np.ndarray, np.ndarray]:
    """Colours, alpha taken out again, and alpha."""
    tile = sprite(noun, colour, 32)
    alpha = tile[..., 3]
    return tile[..., :3] / np.maximum(alpha, 1e-3)[..., None], alpha


@cache
def tinted(noun: str) -> np.ndarray:
    """Which pixels a tint changes: those that differ between red and blue."""
    (red, alpha), (blue, _) = plain(noun, "red"), plain(noun, "blue")
    return (alpha > 0.9) & (np.abs(red - blue).max(axis=-1) > 0.25)


def nearest_colour(noun: str, colour: str) -> str:
    """The named colour nearest to the mean over the tinted pixels."""
    mean = plain(noun, colour)[0][tinted(noun)].mean(axis=0)
    return NAMES[int(((PALETTE - mean) ** 2).sum(axis=-1).argmin())]


@pytest.mark.parametrize("noun", NOUNS)
def test_every_noun_has_a_drawing_that_fills_a_good_part_of_its_tile(noun: str):
    alpha = sprite(noun, None, TILE)[..., 3]
    assert (alpha > 0.5).mean() > 0.08
    touched = np.flatnonzero((alpha > 0.5).any(axis=0)), np.flatnonzero((alpha > 0.5).any(axis=1))
    assert max(np.ptp(side) for side in touched) > 0.8 * TILE


def test_drawings_differ_from_noun_to_noun():
    assert len({sprite(noun, None, 24).tobytes() for noun in NOUNS}) == len(NOUNS)


def test_tinted_drawings_are_nearest_to_their_own_colour():
    """At least 97 of 100 over all nouns and colours; all 11 for at least 9 of 10 nouns; 6 of 11 for every noun."""
    right = np.array([[nearest_colour(noun, colour) == colour for colour in NAMES] for noun in NOUNS])
    assert right.mean() >= 0.97
    assert right.all(axis=1).mean() >= 0.9
    assert right.sum(axis=1).min() >= 6


def test_tinting_leaves_the_outline_alone():
    for noun in NOUNS:
        np.testing.assert_array_equal(sprite(noun, "red", 32)[..., 3], sprite(noun, None, 32)[..., 3])


@pytest.mark.parametrize("size", [4, 24, 96, 200])
def test_a_sprite_has_the_size_asked_for_and_premultiplied_values(size: int):
    tile = sprite("cat", "red", size)
    assert tile.shape == (size, size, 4)
    assert tile.dtype == np.float32
    assert tile.min() >= 0.0
    assert tile.max() <= 1.0
    assert (tile[..., :3] <= tile[..., 3:] + 0.1).all()


def test_what_is_not_in_the_vocabulary_is_refused():
    with refuses("noun", "must be one of cat"):
        sprite("unicorn", None, 32)
    with refuses("colour", "must be one of red"):
        sprite("cat", "beige", 32)
    with refuses("size", "must be at least 4 pixels"):
        sprite("cat", None, 3)
