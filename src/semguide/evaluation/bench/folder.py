"""The folder of a benchmark: its description, rows and results table."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from semguide.errors import InvalidArgument
from semguide.evaluation.bench.plan import Bench, BenchTask, tasks_by_id
from semguide.evaluation.bench.table import row_problem, write_table
from semguide.evaluation.bench.workers import ROWS
from semguide.evaluation.report.page import is_report
from semguide.evaluation.rows import Row, read_rows
from semguide.files import read_json, write_json
from semguide.runs.folder import not_writable
from semguide.runs.ownership import check_ours, is_json, is_table_with

DESCRIPTION, TABLE, SUMMARY, REPORT = "bench.json", "results.parquet", "summary.json", "report.html"
FORMAT, VERSION = "semguide-bench", 1
IMAGES = "images"
SEEN = ("verdicts", "captions")
"""Folders of what was seen in the images afterwards."""
_RESULTS = {
    TABLE: is_table_with("parameters_hash"),
    SUMMARY: is_json("suite", "model", "methods", "paired"),
    REPORT: is_report,
}
"""What a bench writes besides its rows and images, and how it is known."""


@dataclass
class BenchFolder:
    """A folder of rows that have model, suite and sampling in common; methods, seeds and prompts may be added to it.

    Attributes:
        out: The folder.
        bench: The requested benchmark.
        rows: The finished rows by image id, also those not requested now.
    """

    out: Path
    bench: Bench
    rows: dict[str, Row] = field(default_factory=dict[str, Row])

    def scan(self) -> None:
        """Read the finished rows. Changes no file.

        Raises:
            InvalidArgument: The folder holds other files, or rows of other settings.
        """
        names = (DESCRIPTION, ROWS, IMAGES, *SEEN, TABLE, SUMMARY, REPORT)
        written = [*(self.out / name for name in names), *(self.out / IMAGES).glob("*")]
        links = [path for path in written if path.is_symlink()]
        if links:
            named = links[0].relative_to(self.out)
            raise InvalidArgument("out", f"must not hold links that would be written through ({named})", self.out)
        if _begun(self.out):  # looked at first: another process may be writing the description
            return
        settled = _described(self.out)
        if settled is None:
            rule = "must be new, empty or the folder of an earlier bench, with no other files"
            raise InvalidArgument("out", rule, self.out, "choose another folder")
        wanted = self.bench.shared_settings()
        changed = sorted(key for key in {*settled, *wanted} if settled.get(key) != wanted.get(key))
        if changed:
            rule = f"must be the folder of a bench with the same settings (it differs in {', '.join(changed)})"
            raise InvalidArgument("out", rule, self.out, "choose another folder")
        check_ours("out", self.out, _RESULTS)
        self.refresh()

    def open(self) -> None:
        """Create the folder and write its description.

        Raises:
            InvalidArgument: It cannot be created or written.
        """
        try:
            (self.out / ROWS).mkdir(parents=True, exist_ok=True)
            write_json(
                self.out / DESCRIPTION, {"format": FORMAT, "version": VERSION, "settled": self.bench.shared_settings()}
            )
        except OSError as error:
            raise not_writable(self.out, error.strerror) from error

    def missing(self, tasks: list[BenchTask]) -> list[BenchTask]:
        """Return those of the tasks whose row, or picture where pictures are kept, is not there."""
        return [task for image_id, task in tasks_by_id(self.bench, tasks).items() if not self._has(image_id)]

    def _has(self, image_id: str) -> bool:
        row = self.rows.get(image_id)
        if row is None or not self.bench.keep_images:
            return row is not None
        return bool(row["image"]) and (self.out / row["image"]).is_file()

    def refresh(self) -> None:
        """Read all row files, those of other processes and shards too."""
        self.rows = {row["id"]: row for row in read_rows(self.out / ROWS, row_problem)}

    def compact(self) -> None:
        """Read all row files and write the table."""
        self.refresh()
        write_table(self.out / TABLE, self._ordered())

    def selected_rows(self) -> list[Row]:
        """Return the rows that are asked for and there, in the order of the tasks."""
        found = (self.rows.get(image_id) for image_id in tasks_by_id(self.bench, self.bench.tasks()))
        return [row for row in found if row is not None]

    def forget_summary(self) -> None:
        """Remove summary and report, which would speak of other rows."""
        for name in (SUMMARY, REPORT):
            (self.out / name).unlink(missing_ok=True)

    def _ordered(self) -> list[Row]:
        """All rows, in an order that does not depend on when they were made."""
        keys = ("method", "parameters_hash", "category", "prompt", "seed", "id")
        return sorted(self.rows.values(), key=lambda row: tuple(row[key] for key in keys))


def _begun(out: Path) -> bool:
    """Whether a folder is missing, empty, or holds only what `open` makes before the description."""
    if not out.is_dir():
        return True
    return all(
        file.name.startswith(f".{DESCRIPTION}.") or (file.name == ROWS and file.is_dir() and not any(file.iterdir()))
        for file in out.iterdir()
    )


def _described(out: Path) -> dict[str, Any] | None:
    """Read the settings of the bench that a folder belongs to, None if it belongs to none.

    Raises:
        InvalidArgument: Its description cannot be read.
    """
    file = out / DESCRIPTION
    try:
        value: Any = read_json(file) if file.is_file() else None
    except (OSError, ValueError) as error:
        rule = f"must have a {DESCRIPTION} that can be read ({error})"
        raise InvalidArgument("out", rule, file, "choose another folder") from error
    if not isinstance(value, dict):
        return None
    described = cast(dict[str, Any], value)
    settled = described.get("settled")
    ours = described.get("format") == FORMAT and described.get("version") == VERSION
    return cast(dict[str, Any], settled) if ours and isinstance(settled, dict) else None
