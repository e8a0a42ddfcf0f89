"""`semguide methods`: the methods, their parameters and what they cost."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from semguide.evaluation.bench.method_arguments import describe_sampling_method, sampling_method_names
from semguide.runs.methods import describe_method, method_names


def methods(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the methods with their parameters, defaults, cost and citation."""
    rules = [{**describe_method(name), "kind": "rule"} for name in method_names()]
    listed = [*rules, *({**describe_sampling_method(name), "kind": "benchmark"} for name in sampling_method_names())]
    if as_json:
        typer.echo(json.dumps(listed, indent=2, ensure_ascii=False))
    else:
        for entry in listed:
            _print(entry)


def _print(entry: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    only = "" if entry["kind"] == "rule" else "  (benchmark method, for semguide bench only)"
    also = f" (alias: {', '.join(entry['aliases'])})" if entry["aliases"] else ""
    console.print(f"[bold]{escape(entry['name'])}[/bold]{escape(also)}{only}  {escape(entry['summary'])}")
    cost = entry["evaluations"]
    number = cost["per_image"]
    needs = "denoiser evaluations vary by image" if number is None else f"{number} denoiser evaluations an image"
    console.print(f"  {needs} ({cost['steps']} steps, {cost['concepts']} concepts)")
    if entry["parameters"]:
        table = Table("--set", "default", "range", "meaning")
        for parameter in entry["parameters"]:
            default = json.dumps(parameter["default"])
            table.add_row(parameter["name"], escape(default), escape(parameter["values"]), escape(parameter["meaning"]))
        console.print(table)
    console.print(f"{escape(entry['citation'])}\n", highlight=False, soft_wrap=True)
