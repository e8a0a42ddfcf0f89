"""Kept pictures in the folder layouts of official evaluations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semguide.errors import InvalidArgument
from semguide.evaluation.bench import layouts
from semguide.evaluation.bench.layouts import Entries, Picture
from semguide.evaluation.bench.request import suite_prompts
from semguide.evaluation.rows import Row
from semguide.evaluation.suites import SuitePrompt
from semguide.files import atomic_folder, read_json, write_json
from semguide.runs import checks
from semguide.types import Position

if TYPE_CHECKING:
    from semguide.evaluation.bench.folder import BenchFolder

GENEVAL = "geneval"
MARK = "export.json"
"""A file that says that a folder may be replaced by another export."""
_RELATIONS: dict[Position, str] = {"left": "left of", "right": "right of", "above": "above", "below": "below"}


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
            pictures = [(out / row["image"], row) for row in rows if row["method"] == method]
            LAYOUTS[layout](folder / method, target.absolute() / method, entries, pictures)
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


LAYOUTS: dict[str, Callable[[Path, Path, Entries, Sequence[Picture]], None]] = {
    GENEVAL: layouts.geneval,
    "t2i-compbench": layouts.t2i_compbench,
    "geneval2": layouts.geneval2,
    "dpg-bench": layouts.dpg_bench,
    "tifa": layouts.by_id,
    "dsg": layouts.by_id,
    "genai-bench": layouts.genai_bench,
}
"""Layout -> writes the pictures of one method."""


@dataclass(frozen=True)
class Export:
    """What to export, and where.

    Attributes:
        layout: A name of `LAYOUTS`.
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
        """The suite's prompts with their ids, or for GenEval with its metadata, its file's own words."""
        from semguide.evaluation.official import geneval_entries

        prompts = suite_prompts(self.suite, "all")
        if self.layout != GENEVAL:
            return {prompt.text: {"ids": prompt.ids} for prompt in prompts}
        own = geneval_entries(Path(self.suite)) if Path(self.suite).is_file() else {}
        return {prompt.text: own.get(prompt.text) or geneval_entry(prompt) for prompt in prompts}
