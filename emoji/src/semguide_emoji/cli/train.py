"""`semguide train`: the embedded checkpoints' recipes."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from semguide.runs.folder import check_writable
from semguide_emoji import ASSETS


class PresetName(str, Enum):
    """Sizes of a set of checkpoints."""

    small = "small"
    full = "full"


class RecipeName(str, Enum):
    """What can be trained, in the order in which a set of checkpoints is made."""

    vae = "vae"
    clip = "clip"
    unet = "unet"
    decoder = "decoder"
    flow = "flow"
    judge = "judge"
    lora = "lora"
    turbo = "turbo"
    export = "export"


def train(
    recipe: Annotated[RecipeName, typer.Argument(help="What to train; export writes the finished checkpoints.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder of the set; what it holds is taken up. Default: runs/PRESET.")
    ] = None,
    preset: Annotated[
        PresetName, typer.Option(help="small: 64x64, hours on a CPU; full: 128x128, for an accelerator.")
    ] = PresetName.small,
    steps: Annotated[int | None, typer.Option(min=1, help="Steps in all; default: the recipe's.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Peak of the rate; default: the recipe's.")] = None,
    minutes: Annotated[float | None, typer.Option(min=0.01, help="Stop after this long; run again to go on.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    source: Annotated[
        Path | None,
        typer.Option("--from", help="Exported checkpoint to start from (unet, lora, turbo, flow and decoder)."),
    ] = None,
    to: Annotated[Path, typer.Option(help="export: where to write the checkpoints; default: the package.")] = ASSETS,
    seeds: Annotated[
        int, typer.Option(min=0, help="export: images per test prompt for the model card; 0: measure nothing.")
    ] = 4,
) -> None:
    """Train an embedded checkpoint of the emoji world; stop it at any point and run the same command to go on."""
    out = out or Path("runs") / preset.value
    check_writable(out)
    if recipe is RecipeName.export:
        _export(preset.value, out, to, seeds)
        return
    changes = {"steps": steps, "learning_rate": learning_rate, "minutes": minutes}
    _train(recipe.value, preset.value, out, device, {k: v for k, v in changes.items() if v is not None}, source)


def _train(recipe: str, preset: str, out: Path, device: str, changes: dict[str, Any], source: Path | None) -> None:
    from semguide.cli.console import hush_libraries
    from semguide.models import choose_device
    from semguide_emoji.training.history import earlier
    from semguide_emoji.training.origin import take_up
    from semguide_emoji.training.ownership import check_set
    from semguide_emoji.training.presets import PRESETS
    from semguide_emoji.training.recipes import RECIPES

    check_set(out, recipe)
    hush_libraries()
    chosen = PRESETS[preset]
    settings = replace(chosen.settings[recipe], device=choose_device(device), **changes)
    if source is None and recipe in ("lora", "turbo") and not (out / "unet").exists():
        source = ASSETS / "emoji-unet"
    if source is not None:
        take_up(source, out, recipe)
    before = sum(run.recipe == recipe for run in earlier(out))
    settings = replace(settings, seed=settings.seed + 100 * before)  # other pictures than the earlier runs saw
    state = RECIPES[recipe](chosen, settings, out)
    verb = "done" if state.step >= settings.steps else "stopped; run the same command to go on"
    typer.echo(f"{recipe}: {verb} at step {state.step} of {settings.steps} after {state.seconds / 60:.1f} minutes")


def _export(preset: str, out: Path, to: Path, seeds: int) -> None:
    from semguide.cli.console import hush_libraries
    from semguide_emoji.evaluation.measured import measured
    from semguide_emoji.training.export import export
    from semguide_emoji.training.presets import PRESETS

    check_writable(to)
    hush_libraries()
    rows = measured(PRESETS[preset], out, seeds) if seeds else {}
    typer.echo(f"wrote {', '.join(str(path) for path in export(PRESETS[preset], out, to, rows))}")
