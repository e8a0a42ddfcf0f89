"""`semguide concepts`: the concepts of a prompt. Imports no torch."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from semguide.cli.console import warn
from semguide.concepts import BACKENDS, decompose
from semguide.runs.checks import check_known, check_prompt
from semguide.types import Concept


def concepts(
    prompt: Annotated[str, typer.Argument(help="The prompt to split.")],
    backend: Annotated[str, typer.Option(help="lexicon (offline), spacy or llm.")] = "lexicon",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show the concepts of a prompt: what semguide would keep an eye on."""
    check_prompt(prompt)
    check_known("backend", backend, BACKENDS)
    found = decompose(prompt, backend=backend)
    if as_json:
        typer.echo(json.dumps([asdict(concept) for concept in found], indent=2, ensure_ascii=False))
    elif found:
        _print_table(found)
    if not found:
        warn("no concept was found in the prompt; semguide generate would use plain guidance (cfg)")


def _print_table(found: list[Concept]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("concept", "head", "attributes", "count", "characters")
    for concept in found:
        span = "" if concept.span is None else f"{concept.span[0]}-{concept.span[1]}"
        count = "" if concept.count is None else str(concept.count)
        table.add_row(escape(concept.text), escape(concept.head), escape(", ".join(concept.attributes)), count, span)
    Console().print(table)
