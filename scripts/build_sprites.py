"""Draw the sprite atlas from Noto Color Emoji (SIL OFL 1.1): python scripts/build_sprites.py FONT.ttf.

Needed only to add a noun; the atlas itself is in emoji/src/semguide_emoji/assets/sprites. The font is Debian's
fonts-noto-color-emoji.
"""

from __future__ import annotations

import sys

from PIL import Image, ImageDraw, ImageFont

from semguide_emoji import ASSETS
from semguide_emoji.scenes.sprites import COLUMNS, TILE
from semguide_emoji.scenes.vocabulary import NOUNS

ATLAS = ASSETS / "sprites" / "atlas.png"


def bench() -> Image.Image:
    """A park bench; there is no emoji of one."""
    image = Image.new("RGBA", (128, 128))
    draw = ImageDraw.Draw(image)
    wood, edge, iron = (178, 112, 56, 255), (140, 84, 40, 255), (52, 52, 56, 255)
    for x in (18, 100):
        draw.rectangle((x, 30, x + 9, 112), fill=iron)
    for y in (28, 46, 64):
        draw.rounded_rectangle((6, y, 121, y + 13), 4, fill=wood, outline=edge, width=2)
    draw.rounded_rectangle((2, 80, 125, 96), 5, fill=wood, outline=edge, width=2)
    return image


def glyph(character: str, font: ImageFont.FreeTypeFont) -> Image.Image:
    """One emoji, cropped to its drawing and centred on a square."""
    canvas = Image.new("RGBA", (200, 200))
    ImageDraw.Draw(canvas).text((30, 30), character, font=font, embedded_color=True)
    drawing = canvas.crop(canvas.getbbox())
    side = max(drawing.size)
    square = Image.new("RGBA", (side, side))
    square.paste(drawing, ((side - drawing.width) // 2, (side - drawing.height) // 2))
    return square


def main(font_path: str) -> None:
    """Write the atlas: one TILE x TILE drawing a noun, COLUMNS in a row, in the order of NOUNS."""
    font = ImageFont.truetype(font_path, 109)
    atlas = Image.new("RGBA", (COLUMNS * TILE, -(-len(NOUNS) // COLUMNS) * TILE))
    for index, noun in enumerate(NOUNS.values()):
        drawing = glyph(noun.glyph, font) if noun.glyph else bench()
        tile = drawing.resize((TILE, TILE), Image.Resampling.LANCZOS)
        atlas.paste(tile, (index % COLUMNS * TILE, index // COLUMNS * TILE))
    ATLAS.parent.mkdir(parents=True, exist_ok=True)
    atlas.save(ATLAS, optimize=True)


if __name__ == "__main__":
    main(sys.argv[1])
