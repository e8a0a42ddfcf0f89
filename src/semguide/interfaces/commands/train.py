"""`semguide train`: the embedded checkpoints' recipes."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from semguide.interfaces.outfolder import check_writable
from semguide.models.catalog import ASSETS


class Recipe(str, Enum):
    """What can be trained, in the order in which a set of checkpoints is made."""

    vae = "vae"
    clip = "clip"
    unet = "unet"
    decoder = "decoder"
    judge = "judge"
    export = "export"


def train(
    recipe: Annotated[Recipe, typer.Argument(help="What to train; export writes the finished checkpoints.")],
    out: Annotated[Path, typer.Option(help="Folder of the set; what it holds is taken up.")] = Path("runs/small"),
    steps: Annotated[int | None, typer.Option(min=1, help="Steps in all; default: the recipe's.")] = None,
    minutes: Annotated[float | None, typer.Option(min=0.01, help="Stop after this long; run again to go on.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    to: Annotated[Path, typer.Option(help="export: where to write the checkpoints; default: the package.")] = ASSETS,
    seeds: Annotated[
        int, typer.Option(min=0, help="export: images per test prompt for the model card; 0: measure nothing.")
    ] = 4,
) -> None:
    """Train an embedded checkpoint of the emoji world; stop it at any point and run the same command to go on."""
    check_writable(out)
    if recipe is Recipe.export:
        _export(out, to, seeds)
    else:
        _train(recipe.value, out, steps, minutes, device)


def _train(recipe: str, out: Path, steps: int | None, minutes: float | None, device: str) -> None:
    from semguide.interfaces.reporting import hush_libraries
    from semguide.models import choose_device
    from semguide.training.recipes import RECIPES, SMALL

    hush_libraries()
    settings = replace(SMALL.settings[recipe], device=choose_device(device), minutes=minutes)
    if steps is not None:
        settings = replace(settings, steps=steps)
    state = RECIPES[recipe](SMALL, settings, out)
    verb = "done" if state.step >= settings.steps else "stopped; run the same command to go on"
    typer.echo(f"{recipe}: {verb} at step {state.step} of {settings.steps} after {state.seconds / 60:.1f} minutes")


def _export(out: Path, to: Path, seeds: int) -> None:
    from semguide.interfaces.measuring import measured
    from semguide.interfaces.reporting import hush_libraries
    from semguide.training.export import export
    from semguide.training.recipes import SMALL

    check_writable(to)
    hush_libraries()
    rows = measured(SMALL, out, seeds) if seeds else {}
    typer.echo(f"wrote {', '.join(str(path) for path in export(SMALL, out, to, rows))}")
