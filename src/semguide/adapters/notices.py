"""What semguide warns about."""

from __future__ import annotations

import warnings


class SemguideWarning(UserWarning):
    """The run goes on, but not with all that was asked for; the message says what and why."""


def notify(message: str) -> None:
    """Warn the caller of a steered pipeline."""
    warnings.warn(message, SemguideWarning, stacklevel=2)
