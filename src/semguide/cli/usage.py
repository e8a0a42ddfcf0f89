"""What the command line says of arguments that no command understands."""

from __future__ import annotations

import shlex
from typing import Any

from typer.core import TyperCommand

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
                error.message = f"{message}; put the prompt in quotes{_quoted(ctx.command_path, given)}"  # type: ignore[attr-defined]
            raise


def _quoted(command: str, args: list[str]) -> str:
    """Return a command as it should have been typed, the words before the first option as one; "" if there are none."""
    first = next((place for place, word in enumerate(args) if word.startswith("-")), len(args))
    typed = [command, f'"{" ".join(args[:first])}"', *map(shlex.quote, args[first:])]
    return f": {' '.join(typed)}" if first else ""
