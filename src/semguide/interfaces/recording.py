"""What a run records: for each image all that made it, and run.json, from which the run can be repeated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from semguide.files import digest
from semguide.interfaces.environment import Environment
from semguide.interfaces.making import MadeImage
from semguide.interfaces.output import pixel_hash
from semguide.interfaces.records import FORMAT, VERSION
from semguide.interfaces.run import Method, Run

Key = tuple[str, int]
"""Which image of a run: method name and seed."""


def file_name(method: str, seed: int) -> str:
    """Return where an image lies in the folder of its run."""
    return f"images/{method}-{seed}.png"


def image_key(run: Run, environment: Environment, method: Method, seed: int) -> str:
    """Return the hash of everything that decides an image; the same hash means the same image."""
    return digest([run.image_parameters(method, seed), environment.identity()])


def image_record(run: Run, environment: Environment, made: MadeImage) -> dict[str, Any]:
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
