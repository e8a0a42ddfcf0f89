"""What the benchmark of the server counts; no server is started here."""

from __future__ import annotations

import runpy
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "serve.py"


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(BENCHMARK))


def test_a_summary_has_the_rate_of_all_turns_and_leaves_out_what_was_no_picture(script: dict[str, Any]):
    turn = script["Turn"]
    turns = [turn([(200, 1.0)] * 18 + [(429, 0.1)], 20.0), turn([(200, 3.0), (200, 5.0), (0, 0.2)], 5.0)]
    assert script["summary"](turns) == {
        "images": 20,
        "others": 2,
        "images_per_second": 0.8,
        "p50_seconds": 1.0,
        "p95_seconds": 3.0,
    }
    with pytest.raises(SystemExit, match="no image was made"):
        script["summary"]([turn([(500, 1.0)], 1.0)])


def test_the_makers_take_turns_and_each_round_the_other_way(script: dict[str, Any]):
    order: list[tuple[str, int]] = []

    def maker(name: str, seconds: float) -> Any:
        def make(clients: int, _: float) -> Any:
            order.append((name, clients))
            return script["Turn"]([(200, seconds)] * 4, 4 * seconds)

        return make

    makers = {"bare loop": maker("bare loop", 1.0), "batch 1": maker("batch 1", 2.0)}
    found = script["level"](16, makers, Namespace(rounds=2, seconds=1.0))
    assert order == [("bare loop", 16), ("batch 1", 16), ("batch 1", 16), ("bare loop", 16)]
    assert [made["of_bare"] for made in found["makers"].values()] == [1.0, 0.5]
    assert "| 16 | batch 1 | 0.5 | 0.5 | 2.0 | 2.0 | 8 | 0 |" in script["table"]([found])


def test_memory_that_grows_in_the_second_half_has_a_slope_and_memory_that_stays_has_none(script: dict[str, Any]):
    flat = [(minute / 10, 600.0) for minute in range(40)]
    grown = [(minute / 10, 600.0 + max(0, minute - 20)) for minute in range(40)]
    assert script["memory"](flat)["slope_of_the_second_half_mib_per_minute"] == 0.0
    told = script["memory"](grown)
    assert told["slope_of_the_second_half_mib_per_minute"] == 10.0
    assert told["resident_mib"] == {"first": 600.0, "at_half": 600.0, "last": 619.0, "most": 619.0}
