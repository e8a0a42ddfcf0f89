"""Looks at the finished images of a benchmark afterwards, each once: what was seen is kept as soon as it is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from semguide.errors import shown
from semguide.evaluation.rows import Row, RowWriter, read_rows
from semguide.runs.png import read_png

if TYPE_CHECKING:
    from PIL.Image import Image

    from semguide.evaluation.bench.folder import BenchFolder

Look = Callable[[Row, "Image"], Any]
"""Given an image's row and the image, returns a JSON value."""


def look_at_images(
    folder: BenchFolder, name: str, load: Callable[[], Look], on_image: Callable[[], None]
) -> dict[str, Any]:
    """Look at the images of a benchmark that were not looked at before, of a video at the frame in its middle.

    Args:
        folder: The images asked for, all made and kept.
        name: Of what is looked for, and by what: the folder in which it is kept.
        load: Loads what looks, where there is something left to look at.
        on_image: Called after each image that is looked at now.

    Returns:
        What was seen, by the image's id.
    """
    place = folder.out / name
    known = {row["id"]: row["seen"] for row in read_rows(place, _problem)}
    missing = [row for row in folder.selected_rows() if row["id"] not in known]
    if not missing:
        return known
    look = load()
    place.mkdir(parents=True, exist_ok=True)
    writer = RowWriter(place, "all")
    try:
        for row in missing:
            image, _ = read_png(folder.out / row["image"])
            known[row["id"]] = look(row, image.convert("RGB"))
            writer.write({"id": row["id"], "seen": known[row["id"]]})
            on_image()
    finally:
        writer.close()
    return known


def _problem(row: Row) -> str | None:
    if "seen" not in row:
        return "it has no seen"
    seen = row["seen"]
    fits = _is_number(seen) or (isinstance(seen, list) and all(map(_is_logical, cast(list[Any], seen))))
    return None if fits else f"its seen is neither a number nor a list of true and false ({shown(seen)})"


def _is_logical(value: Any) -> bool:
    return value is None or isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))
