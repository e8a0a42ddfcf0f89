from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "concepts.py"


# What docs/concepts.md states; a change for the worse must be seen.
@pytest.mark.parametrize(("sample", "exact", "accepted"), [("held_out", 88, 92), ("development", 93, 97)])
def test_the_share_stated_in_the_docs_holds(shared_prompts: Path, sample: str, exact: int, accepted: int) -> None:
    benchmark: dict[str, Any] = runpy.run_path(str(BENCHMARK))
    verdicts = benchmark["judge"](benchmark["read_cases"](sample, shared_prompts.parent))
    assert len(verdicts) == 100
    assert sum(verdict.exact for verdict in verdicts) >= exact
    assert sum(verdict.accepted for verdict in verdicts) >= accepted
    assert sorted(verdict.seconds for verdict in verdicts)[50] < 0.005
