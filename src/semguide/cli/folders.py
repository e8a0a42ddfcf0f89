"""Output folders of the commands: their default names, and whether one may be written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from semguide.errors import InvalidArgument
from semguide.runs.folder import check_writable
from semguide.runs.ownership import IsOurs, check_ours, is_folder


def slug(text: str, otherwise: str, longest: int | None = None) -> str:
    """Return a text as part of a folder's name, cut off where it is longer; another word where nothing is left."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:longest].strip("-") or otherwise


def model_slug(model: str) -> str:
    """Return a model's last name as part of a folder's name."""
    return slug(Path(model).name, "model")


def check_out(out: Path, part: str, written: Mapping[str, IsOurs]) -> None:
    """Check that a folder can be written, and holds nothing but what an earlier call of the command made.

    Args:
        out: The folder.
        part: The folder in it that every call makes.
        written: What it writes beside that folder, and how it is known.

    Raises:
        InvalidArgument: It cannot, or holds something else.
    """
    check_writable(out)
    if out.is_dir() and any(out.iterdir()) and not (out / part).is_dir():
        rule = "must be new, empty or the folder of an earlier call of this command, with no other files"
        raise InvalidArgument("out", rule, out, "choose another folder")
    check_ours("out", out, {part: is_folder, **written})
