"""Repeating a run from its run.json: what may change, and whether the images are the recorded ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from semguide.errors import InvalidArgument, SemguideError
from semguide.runs.environment import Environment, differences
from semguide.runs.folder import RunFolder
from semguide.runs.records import Key, read_description
from semguide.runs.request import Plan, check_run
from semguide.runs.run import from_json


@dataclass(frozen=True)
class Recorded:
    """A run.json that is to be repeated.

    Attributes:
        folder: Its folder.
        description: Its content.
    """

    folder: Path
    description: dict[str, Any]

    def default_out(self) -> Path:
        """Return the folder of the repeat if none is given: beside the run's own."""
        return self.folder.with_name(f"{self.folder.name}-repeat")

    def changes(self, here: Environment) -> list[str]:
        """List how this environment differs from the recorded one, and whether the run itself was changed."""
        run = from_json(self.description.get("run"))
        edited = [] if self.description.get("digest") == run.digest else ["the run: its file was edited"]
        return [*edited, *differences(self.description.get("environment"), here)]

    def pixels(self) -> dict[Key, Any]:
        """Return the recorded pixel hash by method name and seed."""
        entries = self.description.get("images")
        entries = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
        return {(str(entry.get("method")), entry.get("seed", -1)): entry.get("pixels") for entry in entries}


def read_recorded(file: Path) -> Recorded:
    """Read a run.json, or the one in a folder; raises InvalidArgument if it is none."""
    file = file / "run.json" if file.is_dir() else file
    return Recorded(file.absolute().parent, read_description(file))


def plan_repeat(recorded: Recorded, model: str | None, device: str | None, out: Path | None) -> Plan:
    """Plan the repeat of a run; model and device may be others, as a folder may have moved.

    Raises:
        InvalidArgument: The description is broken, or `out` is the run's own folder.
    """
    if out is not None and out.absolute().resolve() == recorded.folder.resolve():
        raise InvalidArgument(f"out (--out) must be another folder than the repeated run's own, got {str(out)!r}")
    run = from_json(recorded.description.get("run"))
    return check_run(replace(run, model=model or run.model, device=device or run.device))


def compare(recorded: Recorded, folder: RunFolder) -> str:
    """Compare the repeated images with the recorded ones, pixel for pixel.

    Returns:
        The sentence that says all are equal, or that the record has none of them.

    Raises:
        SemguideError: Some differ.
    """
    then = recorded.pixels()
    shared = [key for key in folder.records if key in then]
    different = [key for key in shared if folder.records[key]["pixels"] != then[key]]
    if different:
        names = ", ".join(f"{method}-{seed}" for method, seed in different[:4])
        raise SemguideError(
            f"{len(different)} of {len(shared)} repeated images differ from the recorded ones ({names}"
            f"{', ...' if len(different) > 4 else ''}); see the warnings for what has changed since"
        )
    if not shared:
        return f"0 of {len(folder.records)} images compared: the record has none of them"
    return f"{len(shared)} of {len(folder.records)} images compared with the record: all equal, bit for bit"
