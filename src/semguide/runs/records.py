"""Records: the one in each image's PNG file, and run.json, from which a run can be repeated."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from semguide.errors import InvalidArgument
from semguide.files import digest, read_json, without_nan
from semguide.runs.environment import Environment
from semguide.runs.generation import GeneratedImage
from semguide.runs.png import RECORD, pixel_hash, read_frames
from semguide.runs.run import Method, Run

Key = tuple[str, int]
"""Method name and seed of an image."""


def file_name(method: str, seed: int) -> str:
    """Return the path of an image relative to its run folder."""
    return f"images/{method}-{seed}.png"


def image_key(run: Run, environment: Environment, method: Method, seed: int) -> str:
    """Return the hash of everything that determines an image's pixels."""
    return digest([run.image_parameters(method, seed), environment.identity()])


def image_record(run: Run, environment: Environment, image: GeneratedImage) -> dict[str, Any]:
    """Return the record of an image, as JSON values; None in the place of what is no finite number."""
    record = {
        "key": image_key(run, environment, image.method, image.seed),
        "parameters": run.image_parameters(image.method, image.seed),
        "environment": environment.to_json(),
        "evaluations": image.evaluations,
        "seconds": image.seconds,
        "alignment": image.alignment,
        "alignment_score": image.alignment_score,
        "pixels": pixel_hash(*image.frames),
        **({} if image.attempts is None else {"attempts": image.attempts}),
        **({} if image.fps is None else {"frames": len(image.frames), "fps": image.fps}),
    }
    return without_nan(record)


def describe_run(
    run: Run, environment: Environment, records: Mapping[Key, dict[str, Any]], complete: bool
) -> dict[str, Any]:
    """Return the content of run.json.

    Args:
        run: The run.
        environment: Checkpoint, versions and device.
        records: Records of the finished images.
        complete: Whether all images, grid and plot are written.
    """
    ranks = alignment_ranks(records)
    entries = [_entry(run, (method.name, seed), records, ranks) for seed in run.seeds for method in run.methods]
    return {
        "format": FORMAT,
        "version": VERSION,
        "complete": complete,
        "digest": run.digest,
        "run": run.to_json(),
        "environment": environment.to_json(),
        "images": [entry for entry in entries if entry],
    }


def alignment_ranks(records: Mapping[Key, dict[str, Any]]) -> dict[Key, int | None]:
    """Return the place of each image among the seeds of its method, 1 for the most likely right.

    Args:
        records: Records of the finished images of one prompt.

    Returns:
        None for all images of a method of which none has a score.
    """
    from semguide.guidance.ranking import places_in_groups

    scores = [record.get("alignment_score") for record in records.values()]
    return dict(zip(records, places_in_groups(scores, [method for method, _ in records]), strict=True))


def _entry(
    run: Run, key: Key, records: Mapping[Key, dict[str, Any]], ranks: Mapping[Key, int | None]
) -> dict[str, Any] | None:
    record = records.get(key)
    if record is None:
        return None
    method, seed = key
    probabilities = record.get("alignment")
    return {
        "method": method,
        "seed": seed,
        "file": file_name(method, seed),
        "alignment": None
        if probabilities is None
        else [
            {"concept": concept.text, "probability": probability}
            for concept, probability in zip(run.concepts, probabilities, strict=True)
        ],
        "alignment_rank": ranks[key],
        **{name: record[name] for name in ("evaluations", "seconds", "pixels", "key")},
        **{name: record[name] for name in ("attempts", "frames", "fps") if name in record},
    }


FORMAT = "semguide-run"
VERSION = 1


def read_record(file: Path) -> dict[str, Any] | None:
    """Read the record in a PNG file; None if it has none, cannot be read, or its pixels are not the recorded ones."""
    try:
        frames, texts = read_frames(file)
    except (OSError, ValueError, SyntaxError):
        return None
    record = texts.get(RECORD)
    return record if record is not None and record.get("pixels") == pixel_hash(*frames) else None


def read_description(file: Path) -> dict[str, Any]:
    """Read a run.json.

    Raises:
        InvalidArgument: It is missing or not a run.json.
    """
    try:
        value = read_json(file)
    except (OSError, ValueError) as error:
        raise InvalidArgument("from_file", f"must be a run.json ({error})", file) from error
    if not isinstance(value, dict) or value.get("format") != FORMAT or value.get("version") != VERSION:
        raise InvalidArgument("from_file", f"must be a run.json of this semguide (version {VERSION})", file)
    return value
