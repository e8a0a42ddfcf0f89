"""What other packages add to semguide through entry points: found by name at once, imported when first used.

| group | an entry point leads to |
|---|---|
| `semguide.models` | an `EmbeddedModel` of `semguide.models` |
| `semguide.suites` | a `Suite` of `semguide.evaluation.suites` |
| `semguide.judges` | a `JudgePlugin` of `semguide.evaluation.judging` |
| `semguide.clip_scorers` | a `ClipPlugin` of `semguide.evaluation.metrics.clip` |
| `semguide.commands` | a function whose annotated parameters are a command's options, as typer reads them |
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from semguide.errors import SemguideError

EMBEDDED = "the embedded models are not installed: run `pip install ./emoji` in a clone of semguide's repository"
"""What to say where something of the package `semguide-emoji` is asked for and not there."""


class BrokenPlugin(SemguideError):
    """An installed package announces something that cannot be loaded."""


def names(group: str) -> list[str]:
    """List what a group offers, by name; nothing is imported."""
    return list(_found(group))


def load(group: str, name: str) -> Any:
    """Import what an entry point leads to.

    Args:
        group: The group.
        name: One of `names(group)`.

    Raises:
        BrokenPlugin: Its package cannot be imported, or has no such thing.
    """
    entry = _found(group)[name]
    try:
        return entry.load()
    except Exception as error:  # a foreign package fails in whatever way it likes
        package = entry.dist.name if entry.dist is not None else entry.module
        raise BrokenPlugin(
            f"{name!r} of the group {group} cannot be loaded from the package {package} "
            f"({type(error).__name__}: {error}); reinstall or uninstall {package}"
        ) from error


def load_all(group: str) -> dict[str, Any]:
    """Import everything of a group, by name; raises like `load`."""
    return {name: load(group, name) for name in names(group)}


@cache
def _found(group: str) -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in sorted(entry_points(group=group), key=lambda entry: entry.name)}
