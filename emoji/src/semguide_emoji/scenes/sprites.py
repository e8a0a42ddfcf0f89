"""Sprites: one RGBA tile a noun, recoloured and resized on demand."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from semguide.errors import InvalidArgument
from semguide_emoji.scenes.vocabulary import COLOURS, NOUNS

Tile = NDArray[np.float32]  # (height, width, 4) RGBA in [0, 1], alpha not premultiplied

#: Side of an atlas tile, pixels.
TILE = 96
#: Tiles in a row of the atlas.
COLUMNS = 8
#: Least side of a sprite, pixels.
SMALLEST = 4
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)


def clamp(values: Tile, low: float, high: float) -> Tile:
    """Limit values to [low, high], as np.clip does."""
    return np.minimum(np.maximum(values, low), high)


@cache
def _atlas() -> Tile:
    with (files("semguide_emoji") / "assets" / "sprites" / "atlas.png").open("rb") as file:
        return np.asarray(Image.open(file).convert("RGBA"), dtype=np.float32) / 255.0


def _base(noun: str) -> Tile:
    row, column = divmod(list(NOUNS).index(noun), COLUMNS)
    return _atlas()[row * TILE : (row + 1) * TILE, column * TILE : (column + 1) * TILE]


def tint(tile: Tile, colour: str, whole: bool) -> Tile:
    """Recolour a tile, keeping its shading.

    Args:
        tile: (height, width, 4) RGBA in [0, 1].
        colour: A name of `COLOURS`.
        whole: Tint every pixel that is not near black, rather than only the saturated ones.

    Returns:
        A new tile of the same shape.
    """
    rgb, alpha = tile[..., :3], tile[..., 3:]
    luma = rgb @ _LUMA
    saturation = np.ptp(rgb, axis=-1) / np.maximum(rgb.max(axis=-1), 1e-3)
    dark = clamp((0.30 - luma) / 0.12, 0.0, 1.0)  # eyes, tyres, outlines stay
    mask = (1.0 - dark) if whole else clamp((saturation - 0.22) / 0.15, 0.0, 1.0)
    weight = mask * alpha[..., 0]
    reference = float(np.average(luma, weights=weight)) if weight.sum() > 1.0 else 0.5
    shade = clamp(luma / max(reference, 1e-3), 0.45, 1.45)[..., None]
    target = np.asarray(COLOURS[colour], dtype=np.float32) / 255.0
    tinted = np.where(shade <= 1.0, target * shade, target + (1.0 - target) * (shade - 1.0) * 0.7)
    mixed = mask[..., None] * tinted + (1.0 - mask[..., None]) * rgb
    return np.concatenate([mixed, alpha], axis=-1).astype(np.float32)


@cache
def sprite(noun: str, colour: str | None, size: int) -> Tile:
    """The drawing of one object.

    Args:
        noun: A name of `NOUNS`.
        colour: A name of `COLOURS`, or None for the glyph's natural colours.
        size: Side of the square tile, pixels, at least 4.

    Returns:
        (size, size, 4) RGBA in [0, 1], colour premultiplied by alpha. It is shared: copy it before writing to it.

    Raises:
        InvalidArgument: The noun or the colour is not in the vocabulary, or the size is below 4.
    """
    for name, value, known in (("noun", noun, NOUNS), ("colour", colour or "red", COLOURS)):
        if value not in known:
            raise InvalidArgument(name, f"must be one of {', '.join(known)}", value)
    if size < SMALLEST:
        raise InvalidArgument("size", f"must be at least {SMALLEST} pixels", size)
    tile = _base(noun)
    if colour is not None:
        tile = tint(tile, colour, NOUNS[noun].whole)
    premultiplied = np.concatenate([tile[..., :3] * tile[..., 3:], tile[..., 3:]], axis=-1)
    planes = [
        np.asarray(Image.fromarray(premultiplied[..., plane]).resize((size, size), Image.Resampling.LANCZOS))
        for plane in range(4)
    ]
    return clamp(np.stack(planes, axis=-1), 0.0, 1.0)
