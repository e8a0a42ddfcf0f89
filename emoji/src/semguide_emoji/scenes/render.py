"""Scene -> pixels."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from semguide.errors import InvalidArgument
from semguide_emoji.scenes.scene import GRID, Scene, SceneObject
from semguide_emoji.scenes.sprites import SMALLEST, clamp, sprite
from semguide_emoji.scenes.vocabulary import BACKGROUNDS

Pixels = NDArray[np.float32]  # (height, width, 3) sRGB in [0, 1]


@lru_cache(maxsize=64)
def _background(name: str, soft: bool, size: int) -> Pixels:
    colour = (np.asarray(BACKGROUNDS[name], dtype=np.float32) / 255.0).astype(np.float32)
    shade: Pixels = np.linspace(1.06, 0.88, size, dtype=np.float32) if soft else np.ones(size, dtype=np.float32)
    return clamp(np.repeat(shade[:, None, None] * colour, size, axis=1), 0.0, 1.0)


def box(thing: SceneObject, size: int) -> tuple[int, int, int]:
    """Left edge, top edge and side of an object in a picture of `size` pixels."""
    side = max(SMALLEST, round(thing.size * size / GRID))
    return round(thing.x * size / GRID), round(thing.y * size / GRID), side


def _paste(canvas: Pixels, thing: SceneObject) -> None:
    size = canvas.shape[0]
    left, top, side = box(thing, size)
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + side, size), min(top + side, size)
    if x0 >= x1 or y0 >= y1:
        return
    tile = sprite(thing.noun, thing.colour, side)[y0 - top : y1 - top, x0 - left : x1 - left]
    region = canvas[y0:y1, x0:x1]
    region *= 1.0 - tile[..., 3:]
    region += tile[..., :3]


def render(scene: Scene, size: int = 128) -> Pixels:
    """Draw a scene.

    Args:
        scene: What to draw.
        size: Side of the square picture, pixels, a multiple of 16 keeps boxes on pixels.

    Returns:
        (size, size, 3) sRGB in [0, 1].

    Raises:
        InvalidArgument: The size is below 16, or the scene names what the vocabulary lacks.
    """
    if size < GRID:
        raise InvalidArgument("size", f"must be at least {GRID} pixels", size)
    if scene.background not in BACKGROUNDS:
        raise InvalidArgument("background", f"must be one of {', '.join(BACKGROUNDS)}", scene.background)
    canvas: Pixels = np.array(_background(scene.background, scene.soft, size))
    for thing in scene.objects:
        _paste(canvas, thing)
    return clamp(canvas, 0.0, 1.0)
