"""Every error semguide raises on purpose.

SemguideError
 |- InvalidArgument (also ValueError)      an argument breaks a rule; the message names argument, rule and remedy
 |- UnsupportedPipeline (also TypeError)   the pipeline cannot be steered, and why
 |- MissingExtra (also ImportError)        an optional dependency is missing; the message is the install command
 |- GuidanceNotApplied (also RuntimeError) the rule did not run at every step of the pipeline
"""

from __future__ import annotations

import warnings


class SemguideError(Exception):
    """Base of all errors semguide raises on purpose."""


class InvalidArgument(SemguideError, ValueError):
    """An argument breaks a rule; the message names the argument, the rule and the remedy."""


class UnsupportedPipeline(SemguideError, TypeError):
    """The pipeline cannot be steered; the message says why."""


class GuidanceNotApplied(SemguideError, RuntimeError):
    """The rule did not run as often as the pipeline called its denoiser."""


class MissingExtra(SemguideError, ImportError):
    """An optional dependency is missing; the message is the command that installs it."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs the extra {extra!r}: pip install 'semguide[{extra}]'")


class SemguideWarning(UserWarning):
    """The run goes on, but not with all that was asked for; the message says what and why."""


def notify(message: str) -> None:
    """Warn the caller of a steered pipeline."""
    warnings.warn(message, SemguideWarning, stacklevel=2)
