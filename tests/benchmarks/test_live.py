"""The benchmark of live mode: what it counts, and that it measures what a browser shows."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return runpy.run_path(str(BENCHMARKS / "live.py"))


def test_the_pair_is_the_plain_and_the_steered_picture_of_one_prompt(script: dict[str, Any]):
    rows = [{"live": 0.1 * k, "plain": 0.05, "steered": 0.1} for k in range(1, 22)]
    found = script["summary"](rows)
    assert found["seconds"]["live"] == {"median": 1.1, "p95": 2.0}
    assert found["seconds"]["pair"] == {"median": 0.15, "p95": 0.15}
    assert found["live_of_pair"] == pytest.approx(1.1 / 0.15, abs=1e-3)


def test_it_types_prompts_into_a_real_page(script: dict[str, Any], tiny: Path, tmp_path: Path):
    out = tmp_path / "live.json"
    wanted = ["--prompts", "1", "--pace", "0.01", "--steps", "2", "--model", str(tiny), "--out", str(out)]
    if script["parse"](wanted).chromium is None:
        pytest.skip("no Chromium found: set SEMGUIDE_CHROMIUM to one")
    script["main"](wanted)
    written = json.loads(out.read_text())
    assert len(written["rows"]) == written["prompts"] == 1
    assert all(seconds > 0 for seconds in written["rows"][0].values())
    assert written["asked"]["steps"] == 2
