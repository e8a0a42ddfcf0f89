"""`semguide bench --export LAYOUT DIR`: checked before any work, written after it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semguide.interfaces import checks
from semguide.interfaces.benching import suite_prompts

if TYPE_CHECKING:
    from semguide.evaluation.bench.folder import BenchFolder


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
        from semguide.evaluation.bench.export import LAYOUTS, check_target

        checks.check_known("export (--export)", self.layout, LAYOUTS)
        check_target(self.target)

    def write(self, folder: BenchFolder) -> list[Path]:
        """Export what the benchmark asks for; returns one folder a method."""
        from semguide.evaluation.bench.export import export_images

        return export_images(self.layout, self.target, folder.out, self._entries(), folder.wanted())

    def _entries(self) -> dict[str, dict[str, Any]]:
        """The suite's prompts with what GenEval's metadata says of them: the file's own words where it is one."""
        from semguide.evaluation.bench.export import geneval_entry
        from semguide.evaluation.official import geneval_entries

        if Path(self.suite).suffix == ".jsonl":
            return geneval_entries(Path(self.suite))
        return {prompt.text: geneval_entry(prompt) for prompt in suite_prompts(self.suite, "all")}
