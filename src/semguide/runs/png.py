"""PNG files with record and trace in text chunks, and the hash of an image's pixels."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semguide.files import atomic, parse_json

if TYPE_CHECKING:
    from PIL.Image import Image

RECORD = "semguide"
"""Keyword of the text chunk with the image's record as JSON."""
TRACE = "semguide-trace"
"""Keyword of the compressed text chunk with the image's trace as JSON."""


def write_png(path: Path, image: Image, texts: dict[str, Any] | None = None) -> None:
    """Write a PNG file atomically.

    Args:
        path: The file.
        image: The PIL image.
        texts: JSON values by keyword of the text chunk.
    """
    with atomic(path) as temporary:
        temporary.write_bytes(encode_png(image, texts))


def encode_png(image: Image, texts: dict[str, Any] | None = None) -> bytes:
    """Encode an image as a PNG file.

    Args:
        image: The PIL image.
        texts: JSON values by keyword of the text chunk.
    """
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    for keyword, value in (texts or {}).items():
        info.add_text(keyword, json.dumps(value, allow_nan=False), zip=keyword == TRACE)
    file = io.BytesIO()
    image.save(file, format="PNG", pnginfo=info)
    return file.getvalue()


def read_png(path: Path) -> tuple[Image, dict[str, Any]]:
    """Read a PNG file.

    Args:
        path: The file.

    Returns:
        The image, and the JSON objects in semguide's text chunks; unreadable ones are left out.
    """
    from PIL import Image as Images

    with Images.open(path, formats=["PNG"]) as file:
        file.load()
        texts = {key: file.info[key] for key in (RECORD, TRACE) if key in file.info}
        image = file.copy()
    return image, {key: value for key, text in texts.items() if (value := _json_object(text)) is not None}


def _json_object(text: Any) -> dict[str, Any] | None:
    try:
        value = parse_json(text)
    except (TypeError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def pixel_hash(image: Image) -> str:
    """Return the SHA-256 of an image's mode, size and pixels, without the file's metadata."""
    header = f"{image.mode} {image.width}x{image.height}\n".encode()
    return f"sha256:{hashlib.sha256(header + image.tobytes()).hexdigest()}"
