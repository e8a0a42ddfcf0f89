"""`semguide concepts`: the concepts of a prompt. Imports torch only for a model's text encoders."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from semguide.cli.console import hush_libraries, warn
from semguide.concepts import BACKENDS, decompose, why_none
from semguide.concepts.budget import MAX_CONCEPTS, Choice, choose
from semguide.errors import notify
from semguide.runs.checks import check_known, check_prompt
from semguide.types import Concept


def concepts(
    prompt: Annotated[str, typer.Argument(help="The prompt to split.")],
    backend: Annotated[str, typer.Option(help="lexicon (offline), spacy or llm.")] = "lexicon",
    max_concepts: Annotated[int, typer.Option(help="Most concepts to keep.")] = MAX_CONCEPTS,
    model: Annotated[str | None, typer.Option(help="Checkpoint: what no text encoder of it reads is not kept.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show the concepts of a prompt: what semguide would keep an eye on, and what is beyond --max-concepts."""
    check_prompt(prompt)
    check_known("backend", backend, BACKENDS)
    choice = _choice(prompt, decompose(prompt, backend=backend), max_concepts, model)
    if as_json:
        entries = [{**asdict(concept), "kept": concept in choice.kept} for concept in choice.found]
        typer.echo(json.dumps(entries, indent=2, ensure_ascii=False))
    elif choice.kept:
        _print_table(choice)
    if not choice.kept:
        warn(f"{why_none(prompt, looked=True)} (semguide generate would use plain guidance, cfg)")
    elif (warning := choice.warning) is not None:
        notify(warning.message, warning.remedy.replace("{concepts}", "--concept of semguide generate"))


def _choice(prompt: str, found: list[Concept], max_concepts: int, model: str | None) -> Choice:
    if model is None:
        return choose(prompt, found, max_concepts)
    from semguide.adapters.inputs import choose_read
    from semguide.runs.request import find_model, text_readers_of

    hush_libraries()
    return choose_read(prompt, found, max_concepts, text_readers_of(find_model(model)))


def _print_table(choice: Choice) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("concept", "head", "attributes", "count", "characters", "kept")
    for concept in choice.found:
        span = "" if concept.span is None else f"{concept.span[0]}-{concept.span[1]}"
        count = "" if concept.count is None else str(concept.count)
        kept = "yes" if concept in choice.kept else "no"
        attributes = escape(", ".join(concept.attributes))
        table.add_row(escape(concept.text), escape(concept.head), attributes, count, span, kept)
    Console().print(table)
