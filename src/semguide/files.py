"""Files that are whole or not there, and the hash of a JSON value; shared by every room."""

from __future__ import annotations

import hashlib
import json
import math
import re
import shutil
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from semguide.errors import shown

_CHUNK = 1 << 22


@contextmanager
def atomic(path: Path) -> Generator[Path, None, None]:
    """Give a temporary name beside `path`; rename it to `path` at the end, remove it after an exception."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}.tmp")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Generator[Path, None, None]:
    """Give an empty folder beside `path`; put it in the place of `path` at the end, remove it after an exception."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary, old = (path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}.tmp") for _ in range(2))
    temporary.mkdir()
    try:
        yield temporary
        if path.exists():
            path.rename(old)
        temporary.rename(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_arrays(path: Path, **arrays: Any) -> None:
    """Write NumPy arrays by name as a compressed .npz file, whole or not at all."""
    import numpy as np

    with atomic(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)


def read_json(path: Path, infinite: bool = False) -> Any:
    """Read a JSON file.

    Args:
        path: The file.
        infinite: See `parse_json`.

    Raises:
        OSError: It cannot be read.
        ValueError: See `parse_json`.
    """
    return parse_json(path.read_bytes(), infinite)


def parse_json(text: str | bytes, infinite: bool = False) -> Any:
    """Read a JSON value that others may have written.

    Args:
        text: The JSON.
        infinite: Whether the words Infinity, -Infinity and NaN are read, which no JSON has and diffusers writes.

    Raises:
        ValueError: It is no JSON in UTF-8, nested more than `DEEPEST` levels, or has NaN, a number beyond 64 bits or a
            double, a lone surrogate, or a key twice in one object.
    """
    plain = text.removeprefix("\ufeff") if isinstance(text, str) else decode_text(text)
    try:
        value = json.loads(
            plain,
            parse_int=_whole,
            parse_float=_number,
            parse_constant=float if infinite else _no_number,
            object_pairs_hook=_object,
        )
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    _check_depth(value, DEEPEST)
    if _SURROGATE.search(plain) is not None:
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise ValueError("it has a lone surrogate, which is no Unicode text") from None
    return value


def decode_text(text: bytes) -> str:
    """Return a text in UTF-8, without the mark that some programs begin it with.

    Raises:
        ValueError: It is none.
    """
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"it is no UTF-8 at byte {error.start}") from None


def object_of(value: Any, name: str) -> dict[str, Any]:
    """Return a JSON object.

    Raises:
        ValueError: It is none.
    """
    if not isinstance(value, dict):
        raise ValueError(f"{name} must have objects, got {shown(value)}")
    return value  # pyright: ignore[reportUnknownVariableType]


def field_of(entry: dict[str, Any], name: str, kind: type, of: str = "") -> Any:
    """Return a field of a JSON object; a whole number is a number, too, and true and false are none.

    Args:
        entry: The object.
        name: The field.
        kind: What its value must be: str, int, float, bool, list or dict.
        of: What the object is called before the field's name, as in "runs.".

    Raises:
        ValueError: It is missing, or of another kind.
    """
    value = entry.get(name)
    fits = isinstance(value, (int, float) if kind is float else kind)
    if not fits or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"{of}{name} must be a {kind.__name__}, got {'nothing' if value is None else shown(value)}")
    return value


def parse_value(text: str) -> Any:
    """Read a number, a truth value or a quoted text of JSON; any other text is itself."""
    try:
        found = parse_json(text)
    except ValueError:
        return text
    return text if isinstance(found, dict | list) else found


DEEPEST = 64
"""How deeply objects and lists may be nested."""
_TOO_DEEP = "it is nested too deeply"


def _check_depth(value: Any, left: int) -> None:
    if isinstance(value, dict | list):
        if not left:
            raise ValueError(_TOO_DEEP)
        for part in value.values() if isinstance(value, dict) else value:  # pyright: ignore[reportUnknownVariableType]
            if isinstance(part, dict | list):
                _check_depth(part, left - 1)


_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")
_LONGEST_NUMBER = 40


def _whole(digits: str) -> int:
    if len(digits) > _LONGEST_NUMBER or not -(2**63) <= int(digits) < 2**64:
        raise ValueError(f"it has a number that is too large ({digits[:_LONGEST_NUMBER]})")
    return int(digits)


def _number(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _no_number(digits[:_LONGEST_NUMBER])


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"it has {text}, which is no finite number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"it has {shown(twice)} twice in one object")
    return found


def without_nan(value: Any) -> Any:
    """Return a JSON value with None in the place of NaN and infinity, which JSON does not have."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: without_nan(part) for key, part in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list | tuple):
        return [without_nan(part) for part in value]  # pyright: ignore[reportUnknownVariableType]
    return value


def hash_file(file: Path) -> str:
    """Return 64 hex digits over a file's content (SHA-256), read in pieces."""
    total = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            total.update(chunk)
    return total.hexdigest()


def digest(value: Any) -> str:
    """Return 64 hex digits over a JSON value, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
