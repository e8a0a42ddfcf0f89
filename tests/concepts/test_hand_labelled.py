from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "concepts.py"


# What docs/concepts.md states; a change for the worse must be seen.
@pytest.mark.parametrize(("sample", "exact", "accepted"), [("held_out", 93, 97), ("development", 94, 97)])
def test_the_share_stated_in_the_docs_holds(shared_prompts: Path, sample: str, exact: int, accepted: int) -> None:
    benchmark: dict[str, Any] = runpy.run_path(str(BENCHMARK))
    verdicts = benchmark["judge"](benchmark["read_cases"](sample, shared_prompts.parent))
    assert len(verdicts) == 100
    assert sum(verdict.exact for verdict in verdicts) >= exact
    assert sum(verdict.accepted for verdict in verdicts) >= accepted


def test_the_prompts_that_people_wrote_are_accepted_as_the_docs_say(shared_prompts: Path) -> None:
    benchmark: dict[str, Any] = runpy.run_path(str(BENCHMARK))
    try:
        cases = benchmark["read_cases"]("people", shared_prompts.parent)
    except FileNotFoundError:
        pytest.skip("the labelled prompts are not there")
    verdicts = benchmark["judge"](cases)
    assert sum(verdict.accepted for verdict in verdicts) >= 61
    assert benchmark["precision"](verdicts) >= 0.95
    assert benchmark["recall"](verdicts) >= 0.95
