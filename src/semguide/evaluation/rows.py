"""Crash-safe JSONL rows."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, cast

from semguide.errors import notify
from semguide.files import parse_json

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


def read_rows(folder: Path, problem: Callable[[Row], str | None] = lambda row: None) -> list[Row]:
    """Read the rows of all files of a folder; a last line that was cut short is left out.

    Warns of every other line that is skipped, with its file, number and what is wrong with it.

    Args:
        folder: The folder.
        problem: Says what is wrong with a row that has an id, None: nothing.

    Returns:
        One row per id; of several, the first with a kept image.
    """
    rows: dict[str, Row] = {}
    for file in sorted(folder.glob("*.jsonl")):
        try:
            *lines, cut = file.read_bytes().split(b"\n")
        except OSError as error:
            notify(f"{file} is no file of rows and is skipped: {error.strerror}")
            continue
        for number, line in enumerate([*lines, cut], start=1):
            try:
                row = _read_row(line, problem)
            except ValueError as error:
                if number <= len(lines):
                    notify(f"{file} line {number} is no row of this bench and is skipped: {error}")
                continue
            if not (rows.get(row["id"]) or {}).get("image"):
                rows[row["id"]] = row
    return list(rows.values())


def _read_row(line: bytes, problem: Callable[[Row], str | None]) -> Row:
    row: Any = parse_json(line)
    if not isinstance(row, dict) or not isinstance(row.get("id"), str):  # pyright: ignore[reportUnknownMemberType]
        raise ValueError("it is no object with an id")
    found = problem(cast(Row, row))
    if found is not None:
        raise ValueError(found)
    return cast(Row, row)
