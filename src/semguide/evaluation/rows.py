"""Crash-safe JSONL rows."""

from __future__ import annotations

import json
import os
import uuid
from pathlib import Path
from typing import IO, Any

Row = dict[str, Any]
"""JSON values by column; one row per image."""


class RowWriter:
    """Appends rows to its own JSON Lines file, created with the first row; no two processes share one.

    Args:
        folder: Folder of the file.
        label: Prefix of the file's name.
    """

    def __init__(self, folder: Path, label: str) -> None:
        self._path = folder / f"{label}-{uuid.uuid4().hex[:12]}.jsonl"
        self._file: IO[bytes] | None = None

    def write(self, row: Row) -> None:
        """Append a row and sync it to disk."""
        if self._file is None:
            self._file = self._path.open("ab")
        self._file.write(json.dumps(row, ensure_ascii=False, allow_nan=False).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def read_rows(folder: Path) -> list[Row]:
    """Read the rows of all files of a folder, without lines that were cut short.

    Returns:
        One row per id; of several, the first with a kept image.
    """
    rows: dict[str, Row] = {}
    for file in sorted(folder.glob("*.jsonl")):
        for line in file.read_bytes().split(b"\n"):
            row = _row(line)
            if row is not None and not (rows.get(row["id"]) or {}).get("image"):
                rows[row["id"]] = row
    return list(rows.values())


def _row(line: bytes) -> Row | None:
    if not line.startswith(b"{"):
        return None
    try:
        return json.loads(line)
    except ValueError:
        return None
