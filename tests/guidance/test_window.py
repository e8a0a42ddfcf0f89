"""The step window and its edges."""

from __future__ import annotations

import itertools

import pytest

from semguide.guidance import SGT, CO3Composition, SGTv1, SGTv2, Window
from support.refusals import refuses


def steps(window: Window, count: int = 10) -> list[int]:
    return [step for step in range(count) if window.contains(step)]


def test_closed_window_includes_both_ends() -> None:
    assert steps(Window.closed(2, 4)) == [2, 3, 4]
    assert steps(Window.closed(3, 3)) == [3]
    assert steps(Window.closed(4, 3)) == []


def test_open_window_excludes_both_ends() -> None:
    assert steps(Window.between(2, 6)) == [3, 4, 5]
    assert steps(Window.between(2, 3)) == []


@pytest.mark.parametrize(
    ("start", "stop", "count", "expected"),
    [
        (0.0, 1.0, 4, [0, 1, 2, 3]),
        (0.0, 0.5, 4, [0, 1]),
        (0.0, 0.5, 5, [0, 1, 2]),
        (0.25, 0.75, 4, [1, 2]),
        (0.1, 0.3, 30, [3, 4, 5, 6, 7, 8]),
        (0.5, 0.5, 10, []),
        (0.0, 0.0, 10, []),
        (0.9, 0.1, 10, []),
        (0.0, 1.0, 1, [0]),
        (0.0, 0.01, 10, [0]),
    ],
)
def test_fraction_window_includes_its_start_and_excludes_its_stop(
    start: float, stop: float, count: int, expected: list[int]
) -> None:
    assert steps(Window.fraction(start, stop, count), count) == expected


@pytest.mark.parametrize("count", range(1, 60))
def test_adjacent_fraction_windows_share_out_all_steps(count: int) -> None:
    cuts = [0.0, 0.1, 0.29, 0.3, 0.7, 1.0]
    windows = [Window.fraction(a, b, count) for a, b in itertools.pairwise(cuts)]
    assert [step for window in windows for step in steps(window, count)] == list(range(count))


def test_rules_without_memory_evaluate_concepts_in_their_window_only() -> None:
    assert [s for s in range(10) if SGTv1(warmup_steps=2, cooldown_steps=4).needs_concepts(s, 10, 2)] == [2, 3, 4]
    assert [s for s in range(10) if SGT(start=0.2, stop=0.4).needs_concepts(s, 10, 2)] == [2, 3]


def test_rule_with_memory_evaluates_concepts_from_the_start_to_its_last_step() -> None:
    assert [s for s in range(10) if SGTv2(warmup_steps=2, cooldown_steps=6).needs_concepts(s, 10, 2)] == [
        0,
        1,
        2,
        3,
        4,
        5,
    ]
    assert [s for s in range(8) if SGTv2(warmup_steps=5, cooldown_steps=50).needs_concepts(s, 8, 2)] == list(range(8))


@pytest.mark.parametrize("rule", [SGTv2(warmup_steps=5, cooldown_steps=6), SGTv2(warmup_steps=9)])
def test_rule_with_memory_evaluates_nothing_when_no_step_can_be_corrected(rule: SGTv2) -> None:
    assert not any(rule.needs_concepts(step, 10, 2) for step in range(10))


@pytest.mark.parametrize("rule", [SGT, CO3Composition])
def test_a_window_that_ends_before_it_starts_is_refused(rule: type[SGT] | type[CO3Composition]) -> None:
    with refuses("stop", "must be >= start"):
        rule(start=0.5)
    assert not rule(start=0.5, stop=0.5).needs_concepts(5, 10, 2)
