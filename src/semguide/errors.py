"""Every error semguide raises on purpose.

SemguideError
 |- InvalidArgument (also ValueError)      an argument breaks a rule; it holds argument, rule, value and remedy
 |- UnsupportedPipeline (also TypeError)   the pipeline cannot be steered, and why
 |- MissingExtra (also ImportError)        an optional dependency is missing; the message is the install command
 |- GuidanceNotApplied (also RuntimeError) the rule did not run at every step of the pipeline
 |- NotFinite (also ArithmeticError)       the denoiser or the decoder made NaN or infinity
"""

from __future__ import annotations

import enum
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any


class SemguideError(Exception):
    """Base of all errors semguide raises on purpose."""


class _Missing(enum.Enum):
    """The type of MISSING: pickled, it stays the same object."""

    MISSING = "no value"


MISSING = _Missing.MISSING
"""Stands for the value where an error has none to show."""

LONGEST = 200
"""The most characters of a value that a sentence shows."""


class InvalidArgument(SemguideError, ValueError):
    """An argument breaks a rule.

    Rule and remedy name other arguments in braces, as in "leave out {height}"; each interface fills in its own names.

    Args:
        argument: The argument, as Python calls it.
        rule: What it must be: "must be >= 1 (1.0 turns guidance off)".
        value: What was received; MISSING where there is nothing to show.
        remedy: What to do, "" where the rule says it.
    """

    def __init__(self, argument: str, rule: str, value: Any = MISSING, remedy: str = "") -> None:
        super().__init__(argument, rule, value, remedy)
        self.argument = argument
        self.rule = rule
        self.value = value
        self.remedy = remedy

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle what is no plain value as the text that shows it: the value may be a pipeline."""
        value = self.value
        plain = value is MISSING or value is None or isinstance(value, str | int | float | Path)
        return type(self), (self.argument, self.rule, value if plain else shown(value), self.remedy)

    def __str__(self) -> str:
        return self.worded()

    def worded(self, name: Callable[[str], str] = str) -> str:
        """Return the sentence.

        Args:
            name: What the reader calls an argument; by default as Python does.
        """
        sentence = f"{name(self.argument)} {_named(self.rule, name)}"
        if self.value is not MISSING:
            sentence = f"{sentence}, got {shown(self.value)}"
        return f"{sentence}; {_named(self.remedy, name)}" if self.remedy else sentence


def shown(value: Any) -> str:
    """Return a value as a sentence shows it: a path as text, and the middle of what is long left out."""
    text = repr(str(value) if isinstance(value, Path) else value)
    half = LONGEST // 2
    return text if len(text) <= LONGEST else f"{text[:half]}...{text[-half:]}"


def _named(text: str, name: Callable[[str], str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: name(found[1]), text)


class UnsupportedPipeline(SemguideError, TypeError):
    """The pipeline cannot be steered; the message says why."""


class GuidanceNotApplied(SemguideError, RuntimeError):
    """The rule did not run as often as the pipeline called its denoiser."""


def install_command(extra: str) -> str:
    """Return the command that installs an extra; semguide is on no package index."""
    return f"pip install '.[{extra}]' in a clone of semguide's repository"


class NotFinite(SemguideError, ArithmeticError):
    """The denoiser or the decoder made NaN or infinity; the message says at which step, and the likely cause."""


class MissingExtra(SemguideError, ImportError):
    """An optional dependency is missing; the message is the command that installs it."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs the extra {extra!r}: {install_command(extra)}")


class SemguideWarning(UserWarning):
    """The run goes on, but not with all that was asked for.

    Args:
        message: What happens and why.
        remedy: What to do, "" where there is nothing; it names arguments in braces, as InvalidArgument's does.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message, remedy)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return self.worded()

    def worded(self, name: Callable[[str], str] = str) -> str:
        """Return the sentence, with what the reader calls each argument."""
        return f"{self.message}; {_named(self.remedy, name)}" if self.remedy else self.message


class RuleNeverActed(SemguideWarning):
    """A rule acts at no step, so that the images are those of plain guidance; known before the run, too."""


class CorrectedNothing(RuleNeverActed):
    """Every correction of a rule was zero, which only the run shows."""


def notify(message: str, remedy: str = "") -> None:
    """Warn the caller of a steered pipeline."""
    warnings.warn(SemguideWarning(message, remedy), stacklevel=2)
