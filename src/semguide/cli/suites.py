"""`semguide suites`: the prompt suites and their sizes."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from semguide import plugins


def suites(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the prompt suites, with the number of prompts by category and split."""
    from semguide.evaluation.suites import suite_names

    listed = [_entry(name) for name in suite_names()]
    if as_json:
        typer.echo(json.dumps(listed, indent=2, ensure_ascii=False))
    else:
        _print_table(listed)


def _entry(name: str) -> dict[str, Any]:
    from semguide.evaluation.suites import get_suite

    suite = get_suite(name)
    prompts = suite.prompts()
    categories: dict[str, dict[str, int]] = {}
    for prompt in prompts:
        sizes = categories.setdefault(prompt.category, {"validation": 0, "test": 0})
        sizes[prompt.split] += 1
    return {"name": name, "summary": suite.summary, "prompts": len(prompts), "categories": categories}


def _print_table(listed: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("suite", "category", "validation", "test", "all", "what it is")
    for entry in listed:
        sizes = list(entry["categories"].items())
        for index, (category, size) in enumerate(sizes):
            named = (entry["name"], entry["summary"]) if index == 0 else ("", "")
            counts = [str(size["validation"]), str(size["test"]), str(sum(size.values()))]
            table.add_row(named[0], category, *counts, named[1])
        table.add_section()
    console = Console()
    console.print(table)
    if len(listed) == 1:
        console.print(f"The suites of the emoji world: {plugins.EMBEDDED}.")
    console.print("semguide bench --suite also takes the path of an official prompt file.")
