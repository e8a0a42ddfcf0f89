"""PNG files of pictures and videos, with record and trace in text chunks, and the hash of their pixels."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semguide.files import atomic, parse_json, without_nan

if TYPE_CHECKING:
    from PIL.Image import Image

RECORD = "semguide"
"""Keyword of the text chunk with the image's record as JSON."""
TRACE = "semguide-trace"
"""Keyword of the compressed text chunk with the image's trace as JSON."""

ANIMATED = b"acTL"
"""Type of the chunk that only animated PNG files have."""


@dataclass(frozen=True, slots=True)
class Video:
    """A video.

    Attributes:
        frames: Its PIL images, one or more of one size and mode.
        fps: Frames a second.
    """

    frames: tuple[Image, ...]
    fps: int

    @property
    def still(self) -> Image:
        """The frame in its middle."""
        return self.frames[len(self.frames) // 2]


def write_png(path: Path, picture: Image | Video, texts: dict[str, Any] | None = None) -> None:
    """Write a PNG file atomically.

    Args:
        path: The file.
        picture: A PIL image, or a video, which makes an animated PNG.
        texts: JSON values by keyword of the text chunk.
    """
    with atomic(path) as temporary:
        temporary.write_bytes(encode_png(picture, texts))


def encode_png(picture: Image | Video, texts: dict[str, Any] | None = None) -> bytes:
    """Encode an image or a video as a PNG file.

    Args:
        picture: A PIL image, or a video, which makes an animated PNG.
        texts: JSON values by keyword of the text chunk; null in the place of NaN and infinity.
    """
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    for keyword, value in (texts or {}).items():
        info.add_text(keyword, json.dumps(without_nan(value), allow_nan=False), zip=keyword == TRACE)
    file = io.BytesIO()
    if isinstance(picture, Video):
        first, *others = picture.frames
        # Pillow joins equal neighbours of one blend operation; the two are the same where nothing is transparent.
        blend = list(islice(cycle((0, 1)), len(picture.frames)))
        animated: dict[str, Any] = {"duration": 1000 / picture.fps, "blend": blend, "loop": 0}
        first.save(file, format="PNG", pnginfo=info, save_all=True, append_images=others, **animated)
    else:
        picture.save(file, format="PNG", pnginfo=info)
    return file.getvalue()


def read_png(path: Path) -> tuple[Image, dict[str, Any]]:
    """Read a PNG file, of a video the frame in its middle.

    Args:
        path: The file.

    Returns:
        The image, and the JSON objects in semguide's text chunks; unreadable ones are left out.
    """
    frames, texts = read_frames(path)
    return frames[len(frames) // 2], texts


def write_still(path: Path, target: Path) -> None:
    """Copy the PNG file of an image, of a video that of the frame in its middle.

    Args:
        path: The file.
        target: Where it goes.
    """
    target.write_bytes(still_png(path))


def still_png(path: Path) -> bytes:
    """Return the PNG file of an image as it is, of a video that of the frame in its middle."""
    file = path.read_bytes()
    return encode_png(read_png(path)[0]) if ANIMATED in file else file


def read_frames(path: Path) -> tuple[list[Image], dict[str, Any]]:
    """Read a PNG file, of a video all frames.

    Args:
        path: The file.

    Returns:
        The images, one of a picture, and the JSON objects in semguide's text chunks; unreadable ones are left out.
    """
    from PIL import Image as Images
    from PIL import ImageSequence

    with Images.open(path, formats=["PNG"]) as file:
        file.load()
        texts = {key: file.info[key] for key in (RECORD, TRACE) if key in file.info}
        frames = [frame.copy() for frame in ImageSequence.Iterator(file)]
    return frames, {key: value for key, text in texts.items() if (value := _json_object(text)) is not None}


def _json_object(text: Any) -> dict[str, Any] | None:
    try:
        value = parse_json(text)
    except (TypeError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def pixel_hash(*frames: Image) -> str:
    """Return the SHA-256 of the mode, size and pixels of an image, or of the frames of a video, without metadata."""
    total = hashlib.sha256()
    for image in frames:
        total.update(f"{image.mode} {image.width}x{image.height}\n".encode() + image.tobytes())
    return f"sha256:{total.hexdigest()}"
