"""Examples that a checkpoint comes with: prompts chosen by a rule, and how many of their pictures are right."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from semguide.errors import InvalidArgument
from semguide.files import read_json

FILE = "semguide-examples.json"
"""Beside model_index.json."""
MOST = 16


@dataclass(frozen=True)
class Example:
    """A prompt, and how many of its pictures have every concept right.

    Attributes:
        prompt: The prompt.
        right: Of each method, at the checkpoint's own scale and steps, by its name.
        right_at_best_scale: Of plain guidance at its best scale.
    """

    prompt: str
    right: dict[str, int] = field(default_factory=dict[str, int])
    right_at_best_scale: int = 0


@dataclass(frozen=True)
class Examples:
    """The examples of a checkpoint.

    Attributes:
        examples: The prompts.
        seeds: How many pictures were judged of each, from seed 0 on.
        best_scale: Guidance scale at which plain guidance is best.
        chosen: By which rule, in a sentence.
    """

    examples: tuple[Example, ...] = ()
    seeds: int = 0
    best_scale: float = 0.0
    chosen: str = ""


def read_examples(folder: Path) -> Examples:
    """Read the examples of a checkpoint; there are none where it has no such file.

    Args:
        folder: The checkpoint.

    Raises:
        InvalidArgument: The file is no file of examples.
    """
    file = folder / FILE
    if not file.is_file():
        return Examples()
    try:
        value = read_json(file)
        return Examples(
            examples=tuple(_example(item, value["seeds"]) for item in value["examples"][:MOST]),
            seeds=_count(value["seeds"], 10_000),
            best_scale=float(value["best_scale"]),
            chosen=_text(value["chosen"]),
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        rule = f"must hold examples as benchmarks/examples.py writes them ({error})"
        raise InvalidArgument("model.examples", rule, file, "correct or remove the file") from error


def _example(item: Any, seeds: int) -> Example:
    right = {_text(name): _count(count, seeds) for name, count in item["right"].items()}
    return Example(_text(item["prompt"]), right, _count(item["right_at_best_scale"], seeds))


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{value!r} is no text")
    return value


def _count(value: Any, most: int) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError(f"{value!r} is no whole number from 0 to {most}")
    return value
