"""Files that a command would replace: whether they are as semguide wrote them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from semguide.errors import InvalidArgument
from semguide.files import read_json
from semguide.runs.png import RECORD, read_png

IsOurs = Callable[[Path], bool]


def check_ours(argument: str, out: Path, names: Mapping[str, IsOurs]) -> None:
    """Check that nothing else lies where a command writes.

    Args:
        argument: The argument that names the folder.
        out: The folder.
        names: What is written, relative to the folder, and whether what lies there is as semguide wrote it.

    Raises:
        InvalidArgument: Something is a link, or another's.
    """
    for name, is_ours in names.items():
        path = out / name
        if path.is_symlink() or (path.exists() and not is_ours(path)):
            rule = f"must not hold what would be replaced and is a link, or not as semguide wrote it ({name})"
            raise InvalidArgument(argument, rule, out, "move it away, or choose another folder")


def is_folder(path: Path) -> bool:
    """Whether a path is a folder, into which semguide may write."""
    return path.is_dir()


def is_json(*keys: str, **values: Any) -> IsOurs:
    """Return what says whether a file is a JSON object with these keys, and these values."""

    def look(path: Path) -> bool:
        try:
            found = read_json(path)
        except (OSError, ValueError):
            return False
        if not isinstance(found, dict):
            return False
        entry = cast(dict[str, Any], found)
        return set(keys) <= set(entry) and all(entry.get(key) == value for key, value in values.items())

    return look


def is_marked_picture(mark: str) -> IsOurs:
    """Return what says whether a file is a PNG whose record has this key."""

    def look(path: Path) -> bool:
        try:
            return mark in read_png(path)[1].get(RECORD, {})
        except (OSError, ValueError, SyntaxError):
            return False

    return look


def begins_with(*words: bytes, within: int) -> IsOurs:
    """Return what says whether a file has any of these words among its first bytes."""

    def look(path: Path) -> bool:
        try:
            with path.open("rb") as file:
                start = file.read(within)
        except OSError:
            return False
        return any(word in start for word in words)

    return look


def is_table_with(column: str) -> IsOurs:
    """Return what says whether a file is a Parquet table that names this column at its end."""

    def look(path: Path) -> bool:
        try:
            content = path.read_bytes()
        except OSError:
            return False
        return content.startswith(b"PAR1") and column.encode() in content[-(2**16) :]

    return look
