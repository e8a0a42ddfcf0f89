"""Reading back what a run recorded: images with their records, and run.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from semguide.errors import InvalidArgument
from semguide.interfaces.output import RECORD, pixel_hash, read_png

FORMAT = "semguide-run"
VERSION = 1


def read_record(file: Path) -> dict[str, Any] | None:
    """Read the record of an image that semguide made; None if it has none, or pixels other than the recorded ones."""
    try:
        image, texts = read_png(file)
    except (OSError, ValueError, SyntaxError):
        return None
    record = texts.get(RECORD)
    return record if record is not None and record.get("pixels") == pixel_hash(image) else None


def read_description(file: Path) -> dict[str, Any]:
    """Read a run.json.

    Raises:
        InvalidArgument: There is none, or it is not one.
    """
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidArgument(
            f"from (--from) must be a run.json, but {file} cannot be read as one ({error})"
        ) from error
    if not isinstance(value, dict) or value.get("format") != FORMAT or value.get("version") != VERSION:
        raise InvalidArgument(
            f"from (--from) must be a run.json of this semguide (version {VERSION}), but {file} is not"
        )
    return value
