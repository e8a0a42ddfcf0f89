"""The configurations of a checkpoint's parts: values of another kind than the parts' classes take."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from semguide.errors import InvalidArgument
from semguide.files import read_json
from semguide.models.folder import components, read_index

_SCHEDULER = "scheduler_config.json"
"""A scheduler of the DPM family writes `lambda_min_clipped` as -Infinity."""
_FILES = ("config.json", _SCHEDULER)


def read_config(file: Path) -> dict[str, Any]:
    """Read a JSON object of a checkpoint; an absent file is an empty one.

    Raises:
        InvalidArgument: It is none.
    """
    if not file.is_file():
        return {}
    try:
        value = read_json(file, infinite=file.name == _SCHEDULER)
    except (OSError, ValueError) as error:
        raise InvalidArgument("model", f"must have files of valid JSON ({error})", file, "download it again") from error
    if not isinstance(value, dict):
        raise InvalidArgument("model", "must have JSON objects in its files", file, "download it again")
    return value


def check_config_files(configuration: Path) -> None:
    """Check that the configurations of a checkpoint's parts are JSON objects.

    Not those of tokenizers, whose longest text transformers may write as a number beyond 64 bits.

    Raises:
        InvalidArgument: One is none.
    """
    for file in sorted(configuration.glob("*/*.json")):
        if file.name in _FILES:
            read_config(file)


def check_config_values(configuration: Path) -> None:
    """Check the values of the parts that are diffusers' own against the defaults of their classes. Imports diffusers.

    A list may stand wherever it likes, as many classes take a number for each block.

    Raises:
        InvalidArgument: A text or an object stands for a number, or something else for a text.
    """
    import diffusers

    index = read_index(configuration)
    for part in components(index):
        library, kind = index[part]
        found = getattr(diffusers, str(kind), None) if library == "diffusers" else None
        if found is None:
            continue
        file = next((configuration / part / name for name in _FILES if (configuration / part / name).is_file()), None)
        defaults = inspect.signature(found.__init__).parameters
        for key, value in (read_config(file) if file is not None else {}).items():
            default = defaults[key].default if key in defaults else None
            if (kinds := _wrong(value, default)) is not None:
                raise InvalidArgument(f"model.{key}", f"must be {kinds} in {file}", value, "download it again")


def _wrong(value: Any, default: Any) -> str | None:
    """Say what a value must be, whose class has this default; None where it may be."""
    if isinstance(default, list | tuple) and default and isinstance(value, list):
        return next((f"a list of which each is {kinds}" for part in value if (kinds := _wrong(part, default[0]))), None)
    if isinstance(default, int | float) and isinstance(value, str | dict):
        return "true or false" if isinstance(default, bool) else "a number"
    if isinstance(default, str) and isinstance(value, int | float | dict):
        return "a text"
    return None
