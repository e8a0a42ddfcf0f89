"""`semguide scenes`: a preview of the emoji world."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from semguide.errors import InvalidArgument
from semguide.runs.checks import check_seeds
from semguide.runs.folder import check_writable
from semguide.runs.png import RECORD, read_png, write_png

LARGEST_COUNT = 256
MARK = "scenes"
"""What the record of such a picture holds."""
SMALLEST_SIZE, LARGEST_SIZE = 32, 512


class WorldName(str, Enum):
    """Which world to draw from."""

    full = "full"
    small = "small"


def scenes(
    count: Annotated[int, typer.Option(help=f"How many scenes, 1 to {LARGEST_COUNT}.")] = 16,
    seed: Annotated[int, typer.Option(help="The same seed draws the same scenes.")] = 0,
    size: Annotated[
        int, typer.Option(help=f"Side of a picture, pixels: a multiple of 16 from {SMALLEST_SIZE} to {LARGEST_SIZE}.")
    ] = 128,
    world: Annotated[WorldName, typer.Option(help="full: every noun; small: what emoji-unet draws.")] = WorldName.full,
    noisy: Annotated[bool, typer.Option("--noisy", help="Captions that leave things out, as in training.")] = False,
    out: Annotated[Path, typer.Option(help="PNG file to write.")] = Path("scenes.png"),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that is no such picture.")] = False,
) -> None:
    """Draw scenes of the emoji world with their captions, as one PNG file."""
    _check(count, seed, size, out)
    if not overwrite and (out.is_symlink() or (out.exists() and MARK not in _texts(out))):
        raise InvalidArgument(
            "out", "must not be a link or another file", out, "choose another name, or give {overwrite}"
        )
    from semguide_emoji.scenes import SMALL_WORLD, TIDY, CaptionNoise, World
    from semguide_emoji.scenes.preview import draw_preview

    chosen = SMALL_WORLD if world is WorldName.small else World()
    sheet = draw_preview(chosen, CaptionNoise() if noisy else TIDY, count, seed, size)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_png(out, sheet, {RECORD: {MARK: [world.value, count, seed, size]}})
    except OSError as error:
        raise InvalidArgument("out", f"must be writable ({error.strerror})", out, "choose another file") from error
    typer.echo(f"wrote {out}")


def _texts(file: Path) -> dict[str, Any]:
    """Return what the record of a PNG file holds; nothing of another file."""
    try:
        return read_png(file)[1].get(RECORD, {})
    except (OSError, ValueError, SyntaxError):
        return {}


def _check(count: int, seed: int, size: int, out: Path) -> None:
    """Refuse what cannot be drawn or written, before anything is loaded."""
    if not 1 <= count <= LARGEST_COUNT:
        raise InvalidArgument("count", f"must be from 1 to {LARGEST_COUNT}", count, "try 16")
    check_seeds([seed])
    if size % 16 or not SMALLEST_SIZE <= size <= LARGEST_SIZE:
        rule = f"must be a multiple of 16 from {SMALLEST_SIZE} to {LARGEST_SIZE}"
        raise InvalidArgument("size", rule, size, "try 128")
    if out.suffix.lower() != ".png" or out.is_dir():
        raise InvalidArgument("out", "must be a PNG file", out, "try scenes.png")
    check_writable(out.parent)
