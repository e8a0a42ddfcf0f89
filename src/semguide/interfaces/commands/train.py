"""`semguide train`: the embedded checkpoints' recipes."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer


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
) -> None:
    """Train an embedded checkpoint of the emoji world; stop it at any point and run the same command to go on."""
    from semguide.models import choose_device
    from semguide.training.export import export
    from semguide.training.recipes import RECIPES, SMALL

    if recipe is Recipe.export:
        typer.echo(f"wrote {', '.join(str(path) for path in export(SMALL, out))}")
        return
    settings = replace(SMALL.settings[recipe.value], device=choose_device(device), minutes=minutes)
    if steps is not None:
        settings = replace(settings, steps=steps)
    state = RECIPES[recipe.value](SMALL, settings, out)
    verb = "done" if state.step >= settings.steps else "stopped; run the same command to go on"
    typer.echo(
        f"{recipe.value}: {verb} at step {state.step} of {settings.steps} after {state.seconds / 60:.1f} minutes"
    )
