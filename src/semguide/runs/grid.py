"""The image grid of a run: rows are methods, columns are seeds."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont

SMALLEST_CELL, LARGEST_CELL = 192, 512
COLUMNS = 16
"""Most seeds in a grid; the title says so if a run has more."""
_GAP, _TEXT, _TITLE = 8, 16, 20


def draw_grid(prompt: str, methods: list[str], seeds: list[int], image: Callable[[str, int], Image]) -> Image:
    """Draw a labelled grid of images.

    Args:
        prompt: The title.
        methods: Row labels, top to bottom.
        seeds: Column labels, left to right; the first 16 are drawn.
        image: Returns the image of a method and seed; cells are scaled to sides of 192 to 512 pixels.

    Returns:
        An RGB image.
    """
    from PIL import Image as Images
    from PIL import ImageDraw

    shown = seeds[:COLUMNS]
    width, height = _cell(image(methods[0], shown[0]).size)
    label, title = _font(_TEXT), _font(_TITLE)
    left = max(int(label.getlength(method)) for method in methods) + 2 * _GAP
    total_width = left + len(shown) * (width + _GAP)
    more = f" (first {COLUMNS} of {len(seeds)} seeds)" if len(seeds) > COLUMNS else ""
    lines = _wrap(prompt + more, title, total_width - 2 * _GAP)
    top = _GAP + len(lines) * (_TITLE + 6) + _TEXT + 2 * _GAP
    canvas = Images.new("RGB", (total_width, top + len(methods) * (height + _GAP)), "white")
    draw = ImageDraw.Draw(canvas)
    for number, line in enumerate(lines):
        draw.text((_GAP, _GAP + number * (_TITLE + 6)), line, font=title, fill="black")
    for row, method in enumerate(methods):
        draw.text((_GAP, top + row * (height + _GAP) + (height - _TEXT) // 2), method, font=label, fill="black")
    for column, seed in enumerate(shown):
        x = left + column * (width + _GAP)
        draw.text((x, top - _TEXT - _GAP), f"seed {seed}", font=label, fill="black")
        for row, method in enumerate(methods):
            y = top + row * (height + _GAP)
            canvas.paste(image(method, seed).convert("RGB").resize((width, height), Images.Resampling.LANCZOS), (x, y))
    return canvas


def _cell(size: tuple[int, int]) -> tuple[int, int]:
    """Return the size of a grid cell: the image's own, scaled to sides of 192 to 512 pixels."""
    scale = 1.0
    if min(size) < SMALLEST_CELL:
        scale = -(-SMALLEST_CELL // min(size))
    elif max(size) > LARGEST_CELL:
        scale = LARGEST_CELL / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _font(size: int) -> FreeTypeFont:
    """Load DejaVu Sans, which comes with matplotlib and covers most alphabets."""
    import matplotlib as mpl
    from PIL import ImageFont

    return ImageFont.truetype(str(Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"), size)


def _wrap(text: str, font: FreeTypeFont, width: int) -> list[str]:
    """Break a title into at most 3 lines of a width in pixels."""
    characters = max(8, int(width / font.getlength("n")))
    return textwrap.wrap(" ".join(text.split()), characters, max_lines=3, placeholder=" …")
