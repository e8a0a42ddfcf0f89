"""The seeds that `semguide generate --best-of` selected, as run.json holds them."""

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

BEST_OF = "best_of"
"""Key of the selection in run.json."""


@dataclass(frozen=True)
class SeedSelection:
    """The seeds that were finished, and the scores by which they were selected.

    Attributes:
        key: Hash of everything that determines the selection.
        method: Name of the method whose images were scored.
        candidates: Score and evaluations of each seed, in the order of the seeds.
        seeds: The selected seeds, best score first.
    """

    key: str
    method: str
    candidates: tuple[Candidate, ...]
    seeds: tuple[int, ...]

    def to_json(self, records: Mapping[tuple[str, int], dict[str, Any]]) -> dict[str, Any]:
        """Return the selection as JSON values, with the evaluations of whole images for those that are finished.

        Args:
            records: Records of the finished images, by method name and seed.
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


def selection_key(run: Run, keep: int, environment: Mapping[str, Any]) -> str:
    """Return the hash of everything that determines a selection.

    Args:
        run: The run, with all seeds.
        keep: Seeds to finish, >= 1.
        environment: `Environment.identity()`.
    """
    from semguide.guidance.signal_score import IN_PLACES, IN_TOKENS
    from semguide.selection import SignalScore

    return digest([run.to_json(), keep, asdict(SignalScore()), asdict(IN_PLACES), asdict(IN_TOKENS), environment])


def read_selection(out: Path, key: str) -> SeedSelection | None:
    """Read the selection in a folder's run.json; None if there is none with this key."""
    from semguide.selection import Candidate

    try:
        stored: Any = read_description(out / "run.json").get(BEST_OF)
        if stored["key"] != key:
            return None
        candidates = tuple(Candidate(**candidate) for candidate in stored["candidates"])
        return SeedSelection(key, str(stored["method"]), candidates, tuple(map(int, stored["seeds"])))
    except (InvalidArgument, KeyError, TypeError, ValueError):
        return None
