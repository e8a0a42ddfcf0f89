"""The folder layouts that official evaluations read, for the pictures of one method."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from semguide.errors import InvalidArgument
from semguide.evaluation.rows import Row
from semguide.files import write_json, write_text
from semguide.runs.png import read_png, write_still

Entries = Mapping[str, dict[str, Any]]
"""Prompt -> its line of GenEval's metadata, or its "ids"; in the order of the suite."""
Picture = tuple[Path, Row]
"""A kept picture, and its row."""

MAP = "images.json"
"""The file that says which picture is whose."""
_LONGEST = 255
"""Bytes of a file name."""
_JPEG_QUALITY = 95


def geneval(folder: Path, final: Path, entries: Entries, pictures: Sequence[Picture]) -> None:
    """Write `00000/metadata.jsonl` and `00000/samples/0000.png`: prompt by its line, sample by its seed.

    Args:
        folder: Where to write.
        final: What the folder will be called.
        entries: The prompts.
        pictures: The pictures.
    """
    del final
    numbers = {text: number for number, text in enumerate(entries)}
    for path, row in pictures:
        place = folder / f"{numbers[row['prompt']]:05}"
        (place / "samples").mkdir(parents=True, exist_ok=True)
        write_text(place / "metadata.jsonl", json.dumps(entries[row["prompt"]], ensure_ascii=False) + "\n")
        write_still(path, place / "samples" / f"{row['seed']:04}.png")


def t2i_compbench(folder: Path, final: Path, entries: Entries, pictures: Sequence[Picture]) -> None:
    """Write `samples/a red book_000000.png`: the scripts read the prompt up to the first _, and sort by number."""
    del final
    numbers = {text: number for number, text in enumerate(entries)}
    samples = folder / "samples"
    samples.mkdir(parents=True)
    ordered = sorted(pictures, key=lambda picture: (numbers[picture[1]["prompt"]], picture[1]["seed"]))
    for number, (path, row) in enumerate(ordered):
        name = f"{row['prompt']}_{number:06}.png"
        if "_" in row["prompt"] or "/" in row["prompt"] or len(name.encode()) > _LONGEST:
            raise InvalidArgument(
                "export",
                "must have short prompts without '_' and '/' for t2i-compbench, which makes file names of them",
                row["prompt"],
                "export geneval instead",
            )
        write_still(path, samples / name)


def geneval2(folder: Path, final: Path, entries: Entries, pictures: Sequence[Picture]) -> None:
    """Write `images/00000.png`, and a JSON object of prompt to the whole path of its picture."""
    numbers = {text: number for number, text in enumerate(entries)}
    (folder / "images").mkdir(parents=True)
    found: dict[str, str] = {}
    for text, path in _single(pictures, "geneval2").items():
        name = f"images/{numbers[text]:05}.png"
        write_still(path, folder / name)
        found[text] = str(final / name)
    write_json(folder / MAP, found)


def by_id(folder: Path, final: Path, entries: Entries, pictures: Sequence[Picture]) -> None:
    """Write `images/ID.png`, and a JSON object of id to the path of its picture from there (TIFA, DSG)."""
    del final
    (folder / "images").mkdir(parents=True)
    found: dict[str, str] = {}
    for text, path in _single(pictures, "tifa and dsg").items():
        for identifier in _ids(entries, text):
            found[identifier] = f"images/{identifier}.png"
            write_still(path, folder / found[identifier])
    write_json(folder / MAP, found)


def genai_bench(folder: Path, final: Path, entries: Entries, pictures: Sequence[Picture]) -> None:
    """Write `ID.jpeg`; the folder is what GenAI-Bench takes for the model's name."""
    del final
    folder.mkdir(parents=True)
    for text, path in _single(pictures, "genai-bench").items():
        for identifier in _ids(entries, text):
            still = read_png(path)[0].convert("RGB")
            still.save(folder / f"{identifier}.jpeg", quality=_JPEG_QUALITY)


def dpg_bench(folder: Path, final: Path, entries: Entries, pictures: Sequence[Picture]) -> None:
    """Write `ID.png`, the picture of a prompt, or its four in two rows."""
    del final
    folder.mkdir(parents=True)
    for text, paths in _of_prompts(pictures).items():
        if len(paths) not in (1, 4):
            rule = "must be 1 or 4 seeds of each prompt for dpg-bench, which cuts a grid of 2 x 2"
            raise InvalidArgument("export", rule, len(paths), "run with {seeds} 4")
        for identifier in _ids(entries, text):
            _grid(paths).save(folder / f"{identifier}.png")


def _grid(paths: Sequence[Path]) -> Image.Image:
    """Return pictures of one size side by side, in as many rows as columns, row by row."""
    images = [read_png(path)[0].convert("RGB") for path in paths]
    width, height = images[0].size
    side = math.isqrt(len(images))
    whole = Image.new("RGB", (side * width, side * height))
    for number, image in enumerate(images):
        whole.paste(image, (number % side * width, number // side * height))
    return whole


def _of_prompts(pictures: Sequence[Picture]) -> dict[str, list[Path]]:
    """Return the pictures of each prompt, by their seeds."""
    found: dict[str, list[Path]] = {}
    for path, row in sorted(pictures, key=lambda picture: picture[1]["seed"]):
        found.setdefault(row["prompt"], []).append(path)
    return found


def _single(pictures: Sequence[Picture], layout: str) -> dict[str, Path]:
    """Return the one picture of each prompt.

    Raises:
        InvalidArgument: There are more.
    """
    found = _of_prompts(pictures)
    if most := max((len(paths) for paths in found.values() if len(paths) > 1), default=0):
        raise InvalidArgument("export", f"must be one seed of each prompt for {layout}", most, "run with {seeds} 1")
    return {text: paths[0] for text, paths in found.items()}


def _ids(entries: Entries, text: str) -> Sequence[str]:
    """Return what the benchmark calls a prompt.

    Raises:
        InvalidArgument: The suite has no such names, or one that cannot be a file's.
    """
    found: Sequence[str] = entries[text].get("ids", ())
    if not found or any("/" in identifier or len(identifier.encode()) > _LONGEST - 5 for identifier in found):
        rule = "must be of a suite whose prompts have ids that can be names of files"
        raise InvalidArgument("export", rule, ", ".join(found) or text, "give the benchmark's own file as {suite}")
    return found
