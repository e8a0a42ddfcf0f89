"""The output folder of a run: its images, grid, trajectory plot and run.json."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semguide.errors import InvalidArgument
from semguide.files import atomic, write_json
from semguide.runs.environment import Environment
from semguide.runs.generation import GeneratedImage, OnStep, generate_images
from semguide.runs.png import RECORD, TRACE, read_png, write_png
from semguide.runs.records import Key, describe_run, file_name, image_key, image_record, read_description, read_record
from semguide.runs.run import Method, Run
from semguide.runs.seed_selection import BEST_OF, SeedSelection

if TYPE_CHECKING:
    from semguide.guidance import Rule


SHEETS = ("grid.png", "trajectory.png")
"""What is drawn from all images of a run."""


def check_writable(out: Path) -> None:
    """Check that an output folder can be created and written. Creates nothing.

    Raises:
        InvalidArgument: It is a file, lies below one, or is not writable.
    """
    parent = out.absolute()
    while not parent.exists():
        parent = parent.parent
    if not parent.is_dir():
        raise InvalidArgument("out", "must be a folder, below no file", parent, "choose another folder")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise not_writable(parent)


def not_writable(out: Path, reason: str | None = None) -> InvalidArgument:
    """Return the error of an output folder that cannot be written to, and why."""
    return InvalidArgument("out", f"must be writable{f' ({reason})' if reason else ''}", out, "choose another folder")


@dataclass
class RunFolder:
    """The folder of one run.

    Attributes:
        out: The folder.
        run: The run.
        environment: Checkpoint, versions and device.
        records: Records of the finished images, by method name and seed.
        stale: Image files of another run, removed by `open`.
        selection: How its seeds were selected, None if the user gave them.
    """

    out: Path
    run: Run
    environment: Environment
    records: dict[Key, dict[str, Any]] = field(default_factory=dict)
    stale: list[Path] = field(default_factory=list)
    selection: SeedSelection | None = None

    def file(self, method: str, seed: int) -> Path:
        """Return the path of an image."""
        return self.out / file_name(method, seed)

    def key(self, method: Method, seed: int) -> str:
        """Return the hash of everything that determines an image's pixels."""
        return image_key(self.run, self.environment, method, seed)

    def scan(self, overwrite: bool) -> None:
        """Find the finished images of this run and the stale ones of another. Changes no file.

        Args:
            overwrite: Whether images of another run may be removed, and other files may lie in the folder.

        Raises:
            InvalidArgument: The folder holds other files or another run, and `overwrite` is false.
        """
        if not overwrite and _holds_other_files(self.out):
            raise InvalidArgument(
                "out",
                "must be new, empty or the folder of an earlier run, with no other files",
                self.out,
                "choose another folder, or give {overwrite} to write beside them",
            )
        wanted = {self.file(m.name, s): (m, s) for m in self.run.methods for s in self.run.seeds}
        paths = () if overwrite else (self.out / "images", *self._outputs(), *wanted)
        if foreign := [path for path in paths if _is_foreign(path, self.out)]:
            raise InvalidArgument(
                "out",
                f"must not hold files that this run would replace and that are links, or not as semguide wrote them "
                f"({foreign[0].relative_to(self.out)})",
                self.out,
                "move them away, choose another folder, or give {overwrite}",
            )
        for file in sorted((self.out / "images").glob("*.png")):
            record = read_record(file)
            method_seed = wanted.get(file)
            if record is not None and method_seed is not None and record.get("key") == self.key(*method_seed):
                self.records[method_seed[0].name, method_seed[1]] = record
            elif record is not None:
                self.stale.append(file)
        if self.stale and not overwrite:
            raise InvalidArgument(
                "out",
                f"must not hold images that this run would drop ({len(self.stale)} are made with other parameters, "
                "versions, checkpoint or device)",
                self.out,
                "choose another folder, or give {overwrite}",
            )

    def open(self) -> None:
        """Create the folder, write run.json, remove stale images and, if images are missing, the old grid and plot.

        Raises:
            InvalidArgument: The folder cannot be created or written.
        """
        try:
            (self.out / "images").mkdir(parents=True, exist_ok=True)
            self.write_description(complete=False)
        except OSError as error:
            raise not_writable(self.out, error.strerror) from error
        outdated = [] if self.complete else [self.out / name for name in SHEETS]
        leftovers = [*self.out.glob(".*.*.tmp"), *self.out.glob("images/.*.*.tmp")]
        for file in (*self.stale, *outdated, *leftovers):
            file.unlink(missing_ok=True)

    def _outputs(self) -> list[Path]:
        """Return the paths of what a run writes besides its images."""
        return [self.out / name for name in ("run.json", *SHEETS)]

    @property
    def complete(self) -> bool:
        """Whether every image is finished."""
        return len(self.records) == len(self.run.methods) * len(self.run.seeds)

    def add(self, image: GeneratedImage) -> None:
        """Write an image with its record, and update run.json."""
        record = image_record(self.run, self.environment, image)
        write_png(self.file(image.method.name, image.seed), image.image, {RECORD: record, TRACE: image.trace})
        self.records[image.method.name, image.seed] = record
        self.write_description(complete=False)

    def write_description(self, complete: bool) -> None:
        """Write run.json.

        Args:
            complete: Whether all images, grid and plot are written.
        """
        description = describe_run(self.run, self.environment, self.records, complete)
        selection = {} if self.selection is None else {BEST_OF: self.selection.to_json(self.records)}
        write_json(self.out / "run.json", {**description, **selection})


def _is_foreign(file: Path, out: Path) -> bool:
    """Whether a path of a run's folder is a link, or a picture that no run wrote or that was changed since.

    A damaged file is ours where run.json lists it, and grid and plot are where it says that they were written.
    """
    if file.is_symlink():
        return True
    if not file.is_file() or file.name == "run.json":
        return False
    try:
        marked = RECORD in read_png(file)[1]
    except (OSError, ValueError, SyntaxError):
        marked = False
        if file.name not in SHEETS:
            return file.relative_to(out).as_posix() not in _listed(out)
    if file.name not in SHEETS:
        return read_record(file) is None
    return not marked and not read_description(out / "run.json").get("complete")


def _listed(out: Path) -> set[str]:
    """Return the image files that run.json lists."""
    entries = read_description(out / "run.json").get("images")
    entries = entries if isinstance(entries, list) else []
    return {str(entry.get("file")) for entry in entries if isinstance(entry, dict)}


def _holds_other_files(out: Path) -> bool:
    if not out.is_dir() or not any(out.iterdir()):
        return False
    try:
        read_description(out / "run.json")
    except InvalidArgument:
        return True
    return False


def generate_missing(
    folder: RunFolder, rules: Mapping[str, Rule[Any]], pipe: Any, on_step: OnStep | None = None
) -> None:
    """Generate the missing images of an opened folder, writing each as soon as it is generated.

    Args:
        folder: The folder, after `open`.
        rules: Rules of its methods, by method name.
        pipe: The pipeline of the run's model.
        on_step: Called after each step.
    """
    for image in generate_images(folder.run, rules, pipe, skip=set(folder.records), on_step=on_step):
        folder.add(image)


def write_outputs(folder: RunFolder) -> None:
    """Write grid.png and trajectory.png, then the complete run.json."""
    from semguide.runs.grid import draw_grid
    from semguide.runs.trace_plot import draw_trajectory, write_trajectory

    methods, seeds = [method.name for method in folder.run.methods], list(folder.run.seeds)
    grid = draw_grid(folder.run.prompt, methods, seeds, lambda method, seed: read_png(folder.file(method, seed))[0])
    mark = {RECORD: {"digest": folder.run.digest}}
    write_png(folder.out / "grid.png", grid, mark)
    plot = draw_trajectory(
        folder.run.prompt, methods, seeds, lambda method, seed: read_png(folder.file(method, seed))[1].get(TRACE)
    )
    with atomic(folder.out / "trajectory.png") as temporary:
        write_trajectory(temporary, plot, mark)
    folder.write_description(complete=True)
