"""Repeat of a run from its run.json, and the comparison of its images with the recorded ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from semguide.errors import InvalidArgument, SemguideError
from semguide.files import field_of, object_of
from semguide.runs.environment import Environment, describe_differences
from semguide.runs.folder import RunFolder
from semguide.runs.records import Key, read_description
from semguide.runs.request import Plan, check_run
from semguide.runs.run import from_json


@dataclass(frozen=True)
class RecordedRun:
    """A run as its run.json holds it.

    Attributes:
        file: The run.json.
        description: Content of the run.json.
    """

    file: Path
    description: dict[str, Any]

    @property
    def folder(self) -> Path:
        """Folder of the run.json."""
        return self.file.absolute().parent

    def default_out(self) -> Path:
        """Return the default output folder of the repeat, beside the recorded run's."""
        return self.folder.with_name(f"{self.folder.name}-repeat")

    def changes(self, here: Environment) -> list[str]:
        """List how an environment differs from the recorded one, and whether the run was edited, a phrase each."""
        run = from_json(self.description.get("run"))
        edited = [] if self.description.get("digest") == run.digest else ["the run: its file was edited"]
        return [*edited, *describe_differences(self.description.get("environment"), here)]

    def pixels(self) -> dict[Key, Any]:
        """Return the recorded pixel hashes by method name and seed.

        Raises:
            InvalidArgument: The list of images is broken.
        """
        try:
            return dict(map(_recorded, field_of({"images": [], **self.description}, "images", list)))
        except ValueError as error:
            raise InvalidArgument(
                "from_file", f"must be a run.json as semguide wrote it ({error})", self.file
            ) from error


def _recorded(value: Any) -> tuple[Key, str]:
    """Read method, seed and pixel hash of an image's entry."""
    entry = object_of(value, "images")
    method, seed, pixels = (field_of(entry, *field, "images.") for field in _ENTRY)
    return (method, seed), pixels


_ENTRY = (("method", str), ("seed", int), ("pixels", str))


def read_recorded_run(file: Path) -> RecordedRun:
    """Read a run.json.

    Args:
        file: The file, or its folder.

    Raises:
        InvalidArgument: It is missing or not a run.json.
    """
    file = file / "run.json" if file.is_dir() else file
    return RecordedRun(file, read_description(file))


def plan_repeat(recorded: RecordedRun, model: str | None, device: str | None, out: Path | None) -> Plan:
    """Plan the repeat of a run.

    Args:
        recorded: The run.
        model: Model to use instead of the recorded one, as a folder may have moved; None: the recorded one.
        device: Device to use instead of the recorded one; None: the recorded one.
        out: Output folder; None: the default.

    Raises:
        InvalidArgument: The run.json is broken, or `out` is the recorded run's own folder.
    """
    if out is not None and out.absolute().resolve() == recorded.folder.resolve():
        raise InvalidArgument("out", "must be another folder than the repeated run's own", out)
    recorded.pixels()
    try:
        run = from_json(recorded.description.get("run"))
        return check_run(replace(run, model=model or run.model, device=device or run.device))
    except InvalidArgument as error:
        if {"model": model, "device": device}.get(error.argument) is not None:
            raise
        rule = f"{error.rule} in {recorded.file}"
        raise InvalidArgument(error.argument, rule, error.value, error.remedy) from error


def compare_pixels(recorded: RecordedRun, folder: RunFolder) -> str:
    """Compare the images of a repeat with the recorded ones, pixel for pixel.

    Args:
        recorded: The recorded run.
        folder: The folder of the repeat.

    Returns:
        A sentence with the number of images compared.

    Raises:
        SemguideError: Some images differ.
    """
    expected = recorded.pixels()
    shared = [key for key in folder.records if key in expected]
    different = [key for key in shared if folder.records[key]["pixels"] != expected[key]]
    if different:
        names = ", ".join(f"{method}-{seed}" for method, seed in different[:4])
        raise SemguideError(
            f"{len(different)} of {len(shared)} repeated images differ from the recorded ones ({names}"
            f"{', ...' if len(different) > 4 else ''}); see the warnings for what has changed since"
        )
    if not shared:
        return f"0 of {len(folder.records)} images compared: the record has none of them"
    return f"{len(shared)} of {len(folder.records)} images compared with the record: all equal, bit for bit"
