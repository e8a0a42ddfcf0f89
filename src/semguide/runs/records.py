"""What a run records: for each image all that made it, and run.json, from which the run can be repeated."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from semguide.errors import InvalidArgument
from semguide.files import digest
from semguide.runs.environment import Environment
from semguide.runs.generation import GeneratedImage
from semguide.runs.png import RECORD, pixel_hash, read_png
from semguide.runs.run import Method, Run

Key = tuple[str, int]
"""Which image of a run: method name and seed."""


def file_name(method: str, seed: int) -> str:
    """Return where an image lies in the folder of its run."""
    return f"images/{method}-{seed}.png"


def image_key(run: Run, environment: Environment, method: Method, seed: int) -> str:
    """Return the hash of everything that decides an image; the same hash means the same image."""
    return digest([run.image_parameters(method, seed), environment.identity()])


def image_record(run: Run, environment: Environment, made: GeneratedImage) -> dict[str, Any]:
    """Return the record of a finished image, as JSON values."""
    return {
        "key": image_key(run, environment, made.method, made.seed),
        "parameters": run.image_parameters(made.method, made.seed),
        "environment": environment.to_json(),
        "evaluations": made.evaluations,
        "seconds": made.seconds,
        "alignment": made.alignment,
        "pixels": pixel_hash(made.image),
    }


def describe_run(
    run: Run, environment: Environment, records: Mapping[Key, dict[str, Any]], complete: bool
) -> dict[str, Any]:
    """Return the content of run.json.

    Args:
        run: The run.
        environment: Where it is made.
        records: The records of the images that are there.
        complete: Whether all that belongs to the run is there.
    """
    entries = [_entry(run, method.name, seed, records) for seed in run.seeds for method in run.methods]
    return {
        "format": FORMAT,
        "version": VERSION,
        "complete": complete,
        "digest": run.digest,
        "run": run.to_json(),
        "environment": environment.to_json(),
        "images": [entry for entry in entries if entry],
    }


def _entry(run: Run, method: str, seed: int, records: Mapping[Key, dict[str, Any]]) -> dict[str, Any] | None:
    record = records.get((method, seed))
    if record is None:
        return None
    probabilities = record.get("alignment") or [None] * len(run.concepts)
    return {
        "method": method,
        "seed": seed,
        "file": file_name(method, seed),
        "alignment": [
            {"concept": concept.text, "probability": probability}
            for concept, probability in zip(run.concepts, probabilities, strict=True)
        ],
        **{name: record[name] for name in ("evaluations", "seconds", "pixels", "key")},
    }


FORMAT = "semguide-run"
VERSION = 1


def read_record(file: Path) -> dict[str, Any] | None:
    """Read the record of an image that semguide made; None if it has none, or pixels other than the recorded ones."""
    try:
        image, texts = read_png(file)
    except (OSError, ValueError, SyntaxError):
        return None
    record = texts.get(RECORD)
    return record if record is not None and record.get("pixels") == pixel_hash(image) else None


def read_description(file: Path) -> dict[str, Any]:
    """Read a run.json.

    Raises:
        InvalidArgument: There is none, or it is not one.
    """
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidArgument(
            f"from (--from) must be a run.json, but {file} cannot be read as one ({error})"
        ) from error
    if not isinstance(value, dict) or value.get("format") != FORMAT or value.get("version") != VERSION:
        raise InvalidArgument(
            f"from (--from) must be a run.json of this semguide (version {VERSION}), but {file} is not"
        )
    return value
