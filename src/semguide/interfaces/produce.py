"""A run into its folder: make what is missing, then the grid, the trajectory plot and run.json."""

from __future__ import annotations

from typing import Any

from semguide.files import atomic
from semguide.interfaces.grid import draw_grid
from semguide.interfaces.making import OnStep, make_images
from semguide.interfaces.outfolder import RunFolder
from semguide.interfaces.output import TRACE, read_png, write_png
from semguide.interfaces.trajectory import draw_trajectory, write_trajectory


def produce(folder: RunFolder, pipe: Any, on_step: OnStep | None = None) -> None:
    """Make the missing images of an opened folder, writing each when it is finished.

    Args:
        folder: The folder; its `records` say which images are there.
        pipe: The pipeline of the run's model.
        on_step: Called after each step.
    """
    for made in make_images(folder.run, pipe, skip=set(folder.records), on_step=on_step):
        folder.add(made)


def finish(folder: RunFolder) -> None:
    """Write grid.png and trajectory.png, and the complete run.json last."""
    methods, seeds = [method.name for method in folder.run.methods], list(folder.run.seeds)
    grid = draw_grid(folder.run.prompt, methods, seeds, lambda method, seed: read_png(folder.file(method, seed))[0])
    write_png(folder.out / "grid.png", grid)
    plot = draw_trajectory(
        folder.run.prompt, methods, seeds, lambda method, seed: read_png(folder.file(method, seed))[1].get(TRACE)
    )
    with atomic(folder.out / "trajectory.png") as temporary:
        write_trajectory(temporary, plot)
    folder.write_description(complete=True)
