"""What a checkpoint was trained with: the list of its runs, which travels with it in `training.json`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from safetensors import SafetensorError

from semguide.errors import InvalidArgument
from semguide.files import decode_text, field_of, object_of, read_json, write_json
from semguide_emoji.training.loop import SETTINGS, STATE, read_note

T = TypeVar("T")

#: Name of the file in an exported checkpoint, and in a set that started from one.
HISTORY = "training.json"


@dataclass(frozen=True, slots=True)
class Training:
    """One run of one recipe.

    Attributes:
        recipe: Its name.
        steps: Optimiser steps made.
        batch_size: Scenes a step.
        learning_rate: Peak of the rate.
        minutes: How long it took, rounded.
        device: Where.
        note: What else is to be known, "" for nothing.
    """

    recipe: str
    steps: int
    batch_size: int
    learning_rate: float
    minutes: int
    device: str
    note: str = ""


def earlier(folder: Path) -> list[Training]:
    """Read the runs that came with a folder; none if it has no list."""
    file = folder / HISTORY
    if not file.is_file():
        return []
    return _checked(file, lambda: _trainings(object_of(read_json(file), "it")))


def _checked(file: Path, read: Callable[[], T]) -> T:
    """Read a file of a set.

    Raises:
        InvalidArgument: It is not as semguide wrote it.
    """
    try:
        return read()
    except (OSError, ValueError, LookupError, SafetensorError) as error:
        rule = f"must hold a {file.name} as semguide wrote it ({error})"
        raise InvalidArgument("out", rule, file, "correct or remove it") from error


_FIELDS = {"recipe": str, "steps": int, "batch_size": int, "learning_rate": float, "minutes": int, "device": str}


def _trainings(value: dict[str, Any]) -> list[Training]:
    runs = [object_of(run, "runs") for run in field_of(value, "runs", list)]
    unknown = next((name for run in runs for name in run if name not in (*_FIELDS, "note")), None)
    if unknown is not None:
        raise ValueError(f"runs must not have a field {unknown!r}")
    return [
        Training(
            **_fields(run, _FIELDS, "runs."),
            note=field_of({"note": "", **run}, "note", str, "runs."),
        )
        for run in runs
    ]


def history(folder: Path, recipes: tuple[str, ...]) -> list[Training]:
    """All runs of some recipes behind a set: those it started from, then its own, in the order of `recipes`.

    A file NOTE.md in the folder of a run becomes its note.
    """
    before = [run for run in earlier(folder) if run.recipe in recipes]
    return before + [_own(folder / "training" / name, name) for name in recipes if _finished(folder, name)]


def write_history(runs: list[Training], folder: Path) -> None:
    """Write `training.json`."""
    write_json(folder / HISTORY, {"runs": [asdict(run) for run in runs]})


def _finished(folder: Path, name: str) -> bool:
    return (folder / "training" / name / STATE).is_file()


_STATE = {"step": int, "seconds": float}
_SETTINGS = {"batch_size": int, "learning_rate": float, "device": str}


def _own(run: Path, name: str) -> Training:
    state = _checked(run / STATE, lambda: _fields(object_of(read_note(run / STATE), "state"), _STATE))
    settings = _checked(run / SETTINGS, lambda: _fields(object_of(read_json(run / SETTINGS), "it"), _SETTINGS))
    note = run / "NOTE.md"
    return Training(
        recipe=name,
        steps=state["step"],
        minutes=round(state["seconds"] / 60),
        note=" ".join(decode_text(note.read_bytes()).split()) if note.is_file() else "",
        **settings,
    )


def _fields(entry: dict[str, Any], kinds: Mapping[str, type], of: str = "") -> dict[str, Any]:
    """Return some fields of an object, each of its kind; `of` is as `field_of` has it."""
    return {name: field_of(entry, name, kind, of) for name, kind in kinds.items()}


def table(runs: list[Training]) -> str:
    """Tabulate runs in Markdown, their notes below."""
    lines = ["| recipe | steps | batch | learning rate | minutes | device |", "|---|---|---|---|---|---|"]
    lines += [
        f"| `semguide train {run.recipe}` | {run.steps} | {run.batch_size} | {run.learning_rate} | {run.minutes} "
        f"| {run.device} |"
        for run in runs
    ]
    notes = [run.note for run in runs if run.note]
    return "\n".join(lines) + "".join(f"\n\n{note}" for note in notes)
