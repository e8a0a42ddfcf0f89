"""What a command says on stderr, and its exit code: one sentence, never a traceback unless asked for."""

from __future__ import annotations

import functools
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import typer
from typer.models import ArgumentInfo, OptionInfo
from typer.utils import get_params_from_function

from semguide.errors import InvalidArgument, SemguideError, SemguideWarning, UnsupportedPipeline

DEBUG = "SEMGUIDE_DEBUG"
FAILURE, USAGE = 1, 2
_Command = TypeVar("_Command", bound=Callable[..., Any])


def reported(command: _Command) -> _Command:
    """Wrap a command: refusals end with exit code 2, failures and Ctrl-C with 1, each with one sentence on stderr."""

    def option_of(argument: str) -> str:
        named = options_of(command)
        if argument == "edits" and "more" in named:
            return f"{named['more']} and {named['less']}"
        one = argument.removesuffix("s")
        return named.get(argument) or named.get(f"max_{argument}") or named.get(one) or argument

    @functools.wraps(command)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        try:
            with only_our_warnings(option_of):
                return command(*args, **kwargs)
        except (typer.Exit, typer.Abort, SystemExit):
            raise
        except KeyboardInterrupt as error:
            _fail("stopped", FAILURE, error)
        except InvalidArgument as error:
            _fail(error.worded(option_of), USAGE, error)
        except UnsupportedPipeline as error:
            _fail(str(error), USAGE, error)
        except SemguideError as error:
            _fail(str(error), FAILURE, error)
        except Exception as error:  # noqa: BLE001 - the boundary: whatever went wrong becomes one sentence
            _fail(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__, FAILURE, error)

    return wrapper  # type: ignore[return-value]


def options_of(command: Callable[..., Any]) -> dict[str, str]:
    """Return what a user types for each parameter of a command: its option, or its name in capitals."""
    options: dict[str, str] = {}
    for name, parameter in get_params_from_function(command).items():
        if isinstance(parameter.default, OptionInfo):
            options[name] = (parameter.default.param_decls or (f"--{name.replace('_', '-')}",))[0]
        elif isinstance(parameter.default, ArgumentInfo):
            options[name] = name.upper()
    return options


def _fail(sentence: str, code: int, error: BaseException) -> None:
    if os.environ.get(DEBUG, "0") not in {"", "0"}:
        traceback.print_exception(error, file=sys.stderr)
    say(f"error: {' '.join(sentence.split())}")
    raise typer.Exit(code)


def say(sentence: str) -> None:
    """Print a line to stderr, leaving out what its encoding cannot show."""
    encoding = sys.stderr.encoding or "utf-8"
    typer.echo(sentence.encode(encoding, "replace").decode(encoding), err=True)


def warn(sentence: str) -> None:
    """Print a warning for the user to stderr."""
    say(f"warning: {sentence}")


@contextmanager
def only_our_warnings(name: Callable[[str], str] = str) -> Iterator[None]:
    """Show the warnings of semguide's own categories, each once and in one line, and hide those of other libraries.

    Args:
        name: What the user calls an argument.
    """
    shown: set[str] = set()

    def show(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
        sentence = message.worded(name) if isinstance(message, SemguideWarning) else str(message)
        sentence = " ".join(sentence.split())
        if category.__module__.startswith("semguide.") and sentence not in shown:
            shown.add(sentence)
            warn(sentence)

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = show
        yield


def hush_environment() -> None:
    """Ask the libraries, before any is imported, to log errors only."""
    for library in ("TRANSFORMERS", "DIFFUSERS", "HF_HUB"):
        os.environ.setdefault(f"{library}_VERBOSITY", "error")


def hush_libraries() -> None:
    """Turn off the loading bars of diffusers and transformers. Imports both."""
    import diffusers.utils.logging
    import transformers.utils.logging

    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.disable_progress_bar()
    diffusers.utils.logging.set_verbosity_error()
    transformers.utils.logging.set_verbosity_error()
