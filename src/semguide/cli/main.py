"""The command line: registers the commands. Imports no torch; each command imports what it needs when it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from semguide import plugins
from semguide.cli.bench import bench
from semguide.cli.calibrate import calibrate
from semguide.cli.comfyui import comfyui
from semguide.cli.compare import compare
from semguide.cli.concepts import concepts
from semguide.cli.console import hush_environment, reported, warn
from semguide.cli.doctor import doctor
from semguide.cli.generate import generate
from semguide.cli.methods import methods
from semguide.cli.models import models
from semguide.cli.serve import serve
from semguide.cli.suites import suites
from semguide.cli.usage import PromptCommand, PromptGroup

COMMANDS = "semguide.commands"
app = typer.Typer(
    name="semguide",
    help="Keep text-to-image diffusion true to every concept in the prompt.",
    cls=PromptGroup,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"semguide {version('semguide')}")
        raise typer.Exit


@app.callback()
def root(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Keep text-to-image diffusion true to every concept in the prompt."""
    hush_environment()


for command in (generate, serve, concepts, bench, compare, calibrate, suites, models, methods, doctor, comfyui):
    app.command(command.__name__, cls=PromptCommand if command in (generate, concepts) else None)(reported(command))
for name in plugins.names(COMMANDS):
    try:
        app.command(name)(reported(plugins.load(COMMANDS, name)))
    except plugins.BrokenPlugin as error:
        warn(str(error))


def main() -> None:
    """Run the command line."""
    app()
