"""A thing that the emoji world has not, drawn by ours: what a LoRA teaches a checkpoint."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from semguide_emoji.scenes.render import Pixels, box, render
from semguide_emoji.scenes.scene import Scene
from semguide_emoji.scenes.sprites import Tile, clamp

#: What captions call it.
NEWCOMER = "robot"
_SIDE = 96
_FINE = 4  # drawn so many times larger, then made smaller
_STEEL, _DARK, _LIT, _LAMP = (150, 168, 196), (58, 66, 84), (64, 232, 220), (236, 64, 96)


@cache
def newcomer(size: int) -> Tile:
    """Draw the robot's head.

    Args:
        size: Side of the square tile, pixels.

    Returns:
        (size, size, 4) RGBA in [0, 1], colour premultiplied by alpha, as `sprite` has it.
    """
    image = Image.new("RGBA", (_SIDE * _FINE, _SIDE * _FINE), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)

    def at(*edges: float) -> list[float]:
        return [edge * _FINE for edge in edges]

    draw.rectangle(at(45, 10, 51, 28), fill=_DARK)
    draw.ellipse(at(39, 2, 57, 20), fill=_LAMP)
    for left in (4, 80):
        draw.rounded_rectangle(at(left, 46, left + 12, 70), 4 * _FINE, fill=_DARK)
    draw.rounded_rectangle(at(12, 26, 84, 92), 12 * _FINE, fill=_STEEL, outline=_DARK, width=4 * _FINE)
    for left in (24, 54):
        draw.rounded_rectangle(at(left, 40, left + 18, 58), 3 * _FINE, fill=_DARK)
        draw.ellipse(at(left + 3, 43, left + 15, 55), fill=_LIT)
    draw.rounded_rectangle(at(28, 68, 68, 82), 3 * _FINE, fill=_DARK)
    for left in (34, 44, 54):
        draw.rectangle(at(left, 71, left + 5, 79), fill=_LIT)
    straight = np.asarray(image, dtype=np.float32) / 255.0
    planes = np.concatenate([straight[..., :3] * straight[..., 3:], straight[..., 3:]], axis=-1)
    small = [_resized(planes[..., plane], size) for plane in range(4)]
    return clamp(np.stack(small, axis=-1), 0.0, 1.0)


def render_newcomer(scene: Scene, index: int, size: int) -> Pixels:
    """Draw a scene with the robot in the place of one of its objects, in front of the others.

    Args:
        scene: The scene.
        index: Which object.
        size: Side of the square picture, pixels.

    Returns:
        (size, size, 3) sRGB in [0, 1].
    """
    others = tuple(thing for place, thing in enumerate(scene.objects) if place != index)
    canvas = render(replace(scene, objects=others), size)
    left, top, side = box(scene.objects[index], size)
    tile = newcomer(side)
    region = canvas[top : top + side, left : left + side]
    region *= 1.0 - tile[..., 3:]
    region += tile[..., :3]
    return clamp(canvas, 0.0, 1.0)


def _resized(plane: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    return np.asarray(Image.fromarray(plane).resize((size, size), Image.Resampling.LANCZOS))
