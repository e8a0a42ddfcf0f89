"""What the command line says of arguments that no command understands."""

from __future__ import annotations

import itertools
import shlex
from typing import Any

from typer.core import TyperCommand, TyperGroup

_EXTRA = "unexpected extra argument"


class PromptCommand(TyperCommand):
    """A command with a prompt, which is told to be put in quotes where it was typed without."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments."""
        given = list(args)
        try:
            return super().parse_args(ctx, args)
        except Exception as error:
            message = getattr(error, "message", None)
            if isinstance(message, str) and _EXTRA in message:
                error.message = f"{message}; {_remedy(ctx.command_path, given)}"  # type: ignore[attr-defined]
            raise


class PromptGroup(TyperGroup):
    """A program whose user may have typed a prompt in the place of a command."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command."""
        try:
            return super().resolve_command(ctx, args)
        except Exception as error:
            message = getattr(error, "message", None)
            if isinstance(message, str) and "Did you mean" not in message and len(" ".join(args).split()) > 1:
                typed = _quoted(f"{ctx.command_path} generate", args)
                error.message = f"{message} A prompt goes to a command, in quotes{typed}"  # type: ignore[attr-defined]
            raise


def _remedy(command: str, args: list[str]) -> str:
    """Say what to put in quotes: the prompt, or where that is one word already, what an option was given."""
    if len(_before_options(args)) == 1:
        return "put what an option is given in quotes, and write a list of seeds with commas: --seed 1,2,3"
    return f"put the prompt in quotes{_quoted(command, args)}"


def _quoted(command: str, args: list[str]) -> str:
    """Return a command as it should have been typed, the words before the first option as one; "" if there are none."""
    words = _before_options(args)
    typed = [command, f'"{" ".join(words)}"', *map(shlex.quote, args[len(words) :])]
    return f": {' '.join(typed)}" if words else ""


def _before_options(args: list[str]) -> list[str]:
    return list(itertools.takewhile(lambda word: not word.startswith("-"), args))
