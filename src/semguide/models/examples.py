"""Examples that a checkpoint comes with: prompts chosen by a rule, and how many of their pictures are right."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from semguide.errors import InvalidArgument
from semguide.files import field_of, object_of, read_json

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
        value = object_of(read_json(file), "it")
        seeds = _count(value, "seeds", 10_000)
        return Examples(
            examples=tuple(_example(item, seeds) for item in field_of(value, "examples", list)[:MOST]),
            seeds=seeds,
            best_scale=float(field_of(value, "best_scale", float)),
            chosen=_text(value, "chosen"),
        )
    except (OSError, ValueError) as error:
        rule = f"must hold examples as benchmarks/examples.py writes them ({error})"
        raise InvalidArgument("model.examples", rule, file, "correct or remove the file") from error


def _example(item: Any, seeds: int) -> Example:
    entry = object_of(item, "examples")
    right = field_of(entry, "right", dict)
    counts = {name: _count(right, name, seeds) for name in right}
    return Example(_text(entry, "prompt"), counts, _count(entry, "right_at_best_scale", seeds))


def _text(entry: dict[str, Any], name: str) -> str:
    value: str = field_of(entry, name, str)
    if not value.strip():
        raise ValueError(f"{name} must hold some text, got {value!r}")
    return value


def _count(entry: dict[str, Any], name: str, most: int) -> int:
    value: int = field_of(entry, name, int)
    if not 0 <= value <= most:
        raise ValueError(f"{name} must be from 0 to {most}, got {value}")
    return value
