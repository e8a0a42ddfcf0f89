"""How much of the new thing is in a picture: its drawing matched at every place, as no judge knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from semguide_emoji.scenes.sprites import sprite
from semguide_emoji.scenes.vocabulary import NEWCOMER

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 24
"""Side of the drawing in a 64 x 64 picture of one small thing, pixels."""
_WHOLE = 0.99
FOUND = 0.7
"""The match from which on the new thing counts as there; its drawing has 1, other things less (the tests say so)."""


def newcomer_match(image: Image) -> float:
    """Return the best correlation of the drawing with a place of a picture, at most 1.

    It is that of colours less their means, over the pixels that the drawing covers whole.

    Args:
        image: The picture, 64 x 64 pixels.
    """
    pixels = np.asarray(image.convert("RGB"), dtype=np.float32) / 255.0
    tile = sprite(NEWCOMER, None, SIDE)
    weight: NDArray[np.float32] = np.repeat(tile[..., 3:] > _WHOLE, 3, axis=-1).astype(np.float32)
    weight = weight / weight.sum()
    drawn = tile[..., :3]
    places = sliding_window_view(pixels, (SIDE, SIDE, 3))[:, :, 0]
    seen = places - (places * weight).sum((-3, -2, -1), keepdims=True)
    drawn = drawn - (drawn * weight).sum()
    together = (seen * drawn * weight).sum((-3, -2, -1))
    spread = np.sqrt((seen**2 * weight).sum((-3, -2, -1)) * (drawn**2 * weight).sum())
    return float(np.max(together / np.maximum(spread, 1e-6)))
