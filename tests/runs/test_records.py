"""The places of a run's images among the seeds of their method."""

from __future__ import annotations

from typing import Any

from semguide.runs.records import alignment_ranks


def record(score: float | None) -> dict[str, Any]:
    return {"alignment": None, "alignment_score": score}


def test_seeds_are_ordered_by_their_score_method_by_method_and_those_without_rank_last():
    records = {("sgt", 0): record(0.2), ("sgt", 1): record(0.9), ("cfg", 0): record(None), ("sgt", 2): {}}
    assert alignment_ranks(records) == {("sgt", 0): 2, ("sgt", 1): 1, ("sgt", 2): 3, ("cfg", 0): None}
