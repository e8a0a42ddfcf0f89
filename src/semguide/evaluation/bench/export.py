"""Kept pictures in the folder layouts of the official GenEval and T2I-CompBench evaluations."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semguide.errors import InvalidArgument
from semguide.evaluation.bench.request import suite_prompts
from semguide.evaluation.rows import Row
from semguide.evaluation.suites import SuitePrompt
from semguide.files import atomic_folder, read_json, write_json, write_text
from semguide.runs import checks
from semguide.types import Position

if TYPE_CHECKING:
    from semguide.evaluation.bench.folder import BenchFolder

MARK = "export.json"
"""A file that says that a folder may be replaced by another export."""
_RELATIONS: dict[Position, str] = {"left": "left of", "right": "right of", "above": "above", "below": "below"}
_LONGEST = 255
"""Bytes of a file name."""

Entries = Mapping[str, dict[str, Any]]
"""Prompt -> its line of GenEval's metadata, in the order of the lines."""


def check_target(target: Path) -> None:
    """Check that a folder may be written.

    Raises:
        InvalidArgument: It holds something else than an earlier export.
    """
    if target.is_symlink() or (target.exists() and not _is_export(target)):
        rule = "must name a new or empty folder, or one of an earlier export, with no other files"
        raise InvalidArgument("export", rule, target, "choose another folder")


def _is_export(target: Path) -> bool:
    """Whether a folder is empty or holds what an export wrote and nothing else."""
    if not target.is_dir():
        return False
    names = {file.name for file in target.iterdir()}
    if MARK not in names:
        return not names
    try:
        mark: Any = read_json(target / MARK)
        return names <= {MARK, *mark["methods"]}
    except (OSError, ValueError, LookupError, TypeError):
        return False


def export_images(layout: str, target: Path, out: Path, entries: Entries, rows: Sequence[Row]) -> list[Path]:
    """Write the kept pictures of all methods in an official layout, whole or not at all.

    Args:
        layout: A name of `LAYOUTS`.
        target: Where to write; one folder a method.
        out: The folder of the benchmark.
        entries: The suite's prompts, all of them: their places number the prompts.
        rows: Rows whose pictures were kept.

    Returns:
        The folders of the methods, to be given to the official scripts.

    Raises:
        InvalidArgument: The folder holds something else, a picture is missing, or a prompt cannot be a file's name.
    """
    check_target(target)
    missing = [row for row in rows if not row["image"] or not (out / row["image"]).is_file()]
    if missing:
        raise InvalidArgument(
            "export",
            f"must have kept pictures, of which {len(missing)} of {len(rows)} are missing",
            out,
            "run with {keep_images}",
        )
    methods = list(dict.fromkeys(row["method"] for row in rows))
    with atomic_folder(target) as folder:
        for method in methods:
            LAYOUTS[layout](folder / method, out, entries, [row for row in rows if row["method"] == method])
        write_json(folder / MARK, {"layout": layout, "methods": methods, "images": len(rows)})
    return [target / method for method in methods]


def geneval_entry(prompt: SuitePrompt) -> dict[str, Any]:
    """Say what a prompt asks for in the words of GenEval's metadata (arXiv 2310.11513)."""
    include: list[dict[str, Any]] = [
        _asked(concept.head, concept.attributes, concept.count or 1) for concept in prompt.concepts
    ]
    if prompt.position is not None:  # GenEval names first what the position refers to
        include = [include[1], {**include[0], "position": [_RELATIONS[prompt.position], 0]}]
    entry: dict[str, Any] = {"tag": prompt.category, "include": include}
    if prompt.exact:
        entry["exclude"] = [{**item, "count": item["count"] + 1} for item in include]
    return {**entry, "prompt": prompt.text}


def _asked(noun: str, attributes: Sequence[str], count: int) -> dict[str, Any]:
    return {"class": noun, "count": count, **({"color": attributes[0]} if attributes else {})}


def _geneval(folder: Path, out: Path, entries: Entries, rows: Sequence[Row]) -> None:
    """`00000/metadata.jsonl` and `00000/samples/0000.png`: prompt by its line, sample by its seed."""
    numbers = {text: number for number, text in enumerate(entries)}
    for row in rows:
        place = folder / f"{numbers[row['prompt']]:05}"
        (place / "samples").mkdir(parents=True, exist_ok=True)
        write_text(place / "metadata.jsonl", json.dumps(entries[row["prompt"]], ensure_ascii=False) + "\n")
        shutil.copyfile(out / row["image"], place / "samples" / f"{row['seed']:04}.png")


def _t2i_compbench(folder: Path, out: Path, entries: Entries, rows: Sequence[Row]) -> None:
    """`samples/a red book_000000.png`: the scripts read the prompt up to the first underscore, and sort by number."""
    numbers = {text: number for number, text in enumerate(entries)}
    samples = folder / "samples"
    samples.mkdir(parents=True)
    for number, row in enumerate(sorted(rows, key=lambda row: (numbers[row["prompt"]], row["seed"]))):
        name = f"{row['prompt']}_{number:06}.png"
        if "_" in row["prompt"] or "/" in row["prompt"] or len(name.encode()) > _LONGEST:
            raise InvalidArgument(
                "export",
                "must have short prompts without '_' and '/' for t2i-compbench, which makes file names of them",
                row["prompt"],
                "export geneval instead",
            )
        shutil.copyfile(out / row["image"], samples / name)


LAYOUTS: dict[str, Callable[[Path, Path, Entries, Sequence[Row]], None]] = {
    "geneval": _geneval,
    "t2i-compbench": _t2i_compbench,
}
"""Layout -> writes the pictures of one method."""


@dataclass(frozen=True)
class Export:
    """What to export, and where.

    Attributes:
        layout: "geneval" or "t2i-compbench".
        target: The folder.
        suite: Name of the suite, or its file.
    """

    layout: str
    target: Path
    suite: str

    def check(self) -> None:
        """Check layout and folder.

        Raises:
            InvalidArgument: There is no such layout, or the folder holds something else.
        """
        checks.check_known("export", self.layout, LAYOUTS)
        check_target(self.target)

    def write(self, folder: BenchFolder) -> list[Path]:
        """Export what the benchmark asks for; returns one folder a method."""
        return export_images(self.layout, self.target, folder.out, self._entries(), folder.selected_rows())

    def _entries(self) -> dict[str, dict[str, Any]]:
        """The suite's prompts with what GenEval's metadata says of them: the file's own words where it is one."""
        from semguide.evaluation.official import geneval_entries

        if Path(self.suite).suffix == ".jsonl":
            return geneval_entries(Path(self.suite))
        return {prompt.text: geneval_entry(prompt) for prompt in suite_prompts(self.suite, "all")}
