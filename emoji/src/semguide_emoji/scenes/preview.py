"""One picture of many scenes, each over its caption."""

from __future__ import annotations

import textwrap

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from semguide_emoji.scenes import CaptionNoise, World, caption, render

_GAP, _FONT, _LINE, _LINES = 8, 12, 15, 3


def draw_preview(world: World, noise: CaptionNoise, count: int, seed: int, size: int) -> Image.Image:
    """Draw scenes with their captions, in about as many rows as columns.

    Args:
        world: What scenes are drawn from.
        noise: Of the captions.
        count: How many scenes, >= 1.
        seed: Scene i depends on the seed and i alone.
        size: Side of a picture, pixels, >= 32.

    Returns:
        An RGB picture.
    """
    columns = int(np.ceil(np.sqrt(count)))
    width, height = size + _GAP, size + _LINES * _LINE + _GAP
    rows = -(-count // columns)
    sheet = Image.new("RGB", (columns * width + _GAP, rows * height + _GAP), "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(_FONT)
    characters = max(8, int(size / font.getlength("n") * 1.1))
    for index in range(count):
        rng = np.random.default_rng((seed, index))
        scene = world.scene(rng)
        x, y = _GAP + index % columns * width, _GAP + index // columns * height
        sheet.paste(Image.fromarray(np.rint(render(scene, size) * 255).astype(np.uint8)), (x, y))
        lines = textwrap.wrap(caption(scene, rng, noise), characters, max_lines=_LINES, placeholder=" …")
        for number, line in enumerate(lines):
            draw.text((x, y + size + 2 + number * _LINE), line, font=font, fill="black")
    return sheet
