"""`semguide models`: the embedded checkpoints, and the families of diffusers pipelines that can be steered."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from semguide import plugins
from semguide.models import describe, embedded


def models(
    families: Annotated[
        bool, typer.Option("--families", help="List the families of diffusers pipelines that steer() takes, instead.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the embedded checkpoints; --model also takes a diffusers folder or a hub id owner/name."""
    if families:
        _print_families(as_json)
        return
    listed = [_entry(name, model.card) for name, model in embedded().items()]
    if as_json:
        typer.echo(json.dumps(listed, indent=2, ensure_ascii=False))
    else:
        _print_table(listed)


def _entry(name: str, card: str) -> dict[str, Any]:
    model = describe(name)
    return {
        "name": name,
        "pipeline": model.pipeline_class,
        "height": model.height,
        "width": model.width,
        "smallest": model.smallest,
        "largest": model.largest,
        "num_inference_steps": model.num_inference_steps,
        "guidance_scale": model.guidance_scale,
        "path": str(model.path),
        "summary": card,
    }


def _print_table(listed: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("model", "pipeline", "size", "steps", "scale", "what it is")
    for entry in listed:
        size = f"{entry['width']}x{entry['height']}"
        steps, scale = entry["num_inference_steps"] or "", entry["guidance_scale"] or ""
        table.add_row(entry["name"], entry["pipeline"], size, str(steps), str(scale), escape(entry["summary"]))
    console = Console()
    console.print(table if listed else f"There is no embedded checkpoint: {plugins.EMBEDDED}.")
    console.print("--model also takes a diffusers folder, or a hub id owner/name.")


def _print_families(as_json: bool) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from semguide.cli.families import COLUMNS, entries

    listed = list(entries())
    if as_json:
        typer.echo(json.dumps(listed, indent=2, ensure_ascii=False))
        return
    console = Console()
    for entry in listed:
        table = Table.grid(padding=(0, 2), pad_edge=True)
        for column in COLUMNS[1:]:
            if entry[column]:
                table.add_row(column, Text(entry[column]))
        console.print(Text(entry["family"], style="bold"))
        console.print(table)
        console.print()
