"""The choice among seeds that `semguide generate --best-of` makes: what was asked for, and what became of each seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semguide.errors import InvalidArgument
from semguide.files import digest
from semguide.runs.records import read_description
from semguide.runs.run import Run

if TYPE_CHECKING:
    from semguide.selection import Candidate

CHOICE = "best_of"
"""Key of run.json."""


@dataclass(frozen=True)
class Choice:
    """How the seeds of a run were chosen.

    Attributes:
        key: Hash of everything that decides it.
        method: The method whose images were judged.
        candidates: What became of each seed, in their order.
        seeds: The chosen ones, the most promising first.
    """

    key: str
    method: str
    candidates: tuple[Candidate, ...]
    seeds: tuple[int, ...]

    def described(self, records: Mapping[tuple[str, int], dict[str, Any]]) -> dict[str, Any]:
        """Return the choice as JSON values; a finished image's evaluations stand in the place of its first steps'.

        Args:
            records: The records of the images that are there, by method and seed.
        """
        finished = {
            seed: records[self.method, seed]["evaluations"] for seed in self.seeds if (self.method, seed) in records
        }
        found = [replace(c, evaluations=finished.get(c.seed, c.evaluations)) for c in self.candidates]
        return {
            "key": self.key,
            "method": self.method,
            "seeds": list(self.seeds),
            "evaluations": sum(candidate.evaluations for candidate in found),
            "candidates": [asdict(candidate) for candidate in found],
        }


def choice_key(run: Run, keep: int, checkpoint: Mapping[str, Any]) -> str:
    """Return the hash of what decides a choice.

    Args:
        run: The run, with all seeds.
        keep: How many are finished.
        checkpoint: The identity of checkpoint and versions.
    """
    from semguide.guidance.detector import Detector
    from semguide.selection import DetectorScore

    return digest([run.to_json(), keep, asdict(DetectorScore()), asdict(Detector()), checkpoint])


def recorded_choice(out: Path, key: str) -> Choice | None:
    """Read the choice that a folder's run.json holds; None if it holds none, or one of something else."""
    from semguide.selection import Candidate

    try:
        stored: Any = read_description(out / "run.json").get(CHOICE)
        if stored["key"] != key:
            return None
        candidates = tuple(Candidate(**candidate) for candidate in stored["candidates"])
        return Choice(key, str(stored["method"]), candidates, tuple(map(int, stored["seeds"])))
    except (InvalidArgument, KeyError, TypeError, ValueError):
        return None
