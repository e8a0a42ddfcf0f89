"""The command line: registers the commands. Imports no torch; each command imports what it needs when it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from semguide.interfaces.commands.bench import bench
from semguide.interfaces.commands.comfyui import comfyui
from semguide.interfaces.commands.concepts import concepts
from semguide.interfaces.commands.doctor import doctor
from semguide.interfaces.commands.generate import generate
from semguide.interfaces.commands.methods import methods
from semguide.interfaces.commands.models import models
from semguide.interfaces.commands.scenes import scenes
from semguide.interfaces.commands.serve import serve
from semguide.interfaces.commands.suites import suites
from semguide.interfaces.commands.train import train
from semguide.interfaces.reporting import hush_environment, reported

app = typer.Typer(
    name="semguide",
    help="Keep text-to-image diffusion true to every concept in the prompt.",
    no_args_is_help=True,
    add_completion=False,
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


for command in (generate, serve, concepts, bench, suites, models, methods, doctor, comfyui, scenes, train):
    app.command(command.__name__)(reported(command))


def main() -> None:
    """Run the command line."""
    app()
