"""What a checkpoint was trained with: the list of its runs, which travels with it in `training.json`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from semguide.errors import InvalidArgument
from semguide.files import read_json, write_json
from semguide_emoji.training.loop import STATE, read_note

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
    try:
        return [Training(**run) for run in read_json(file)["runs"]]
    except (OSError, ValueError, LookupError, TypeError) as error:
        rule = f"must hold a {HISTORY} as semguide wrote it ({type(error).__name__}: {error})"
        raise InvalidArgument("out", rule, file, "correct or remove it") from error


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


def _own(run: Path, name: str) -> Training:
    state = read_note(run / STATE)
    settings = json.loads((run / "settings.json").read_text(encoding="utf-8"))
    note = run / "NOTE.md"
    return Training(
        recipe=name,
        steps=state["step"],
        batch_size=settings["batch_size"],
        learning_rate=settings["learning_rate"],
        minutes=round(state["seconds"] / 60),
        device=settings["device"],
        note=" ".join(note.read_text(encoding="utf-8").split()) if note.is_file() else "",
    )


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
