"""The fit of alignment to judged concepts."""

from __future__ import annotations

import numpy as np
import pytest

from semguide.evaluation.calibration import Judged, fit_judged, held_out, judged_concepts, reliability
from support.refusals import refuses


def judged(count: int = 400) -> Judged:
    """Pairs of concepts, right with log-odds that are half of what the first steps say and a half more."""
    rng = np.random.default_rng(0)
    odds = rng.normal(1.0, 2.0, count)
    return Judged(odds, rng.random(count) < 1 / (1 + np.exp(-(0.5 + 0.5 * odds))), np.repeat(np.arange(count // 2), 2))


def test_the_fit_finds_the_law_that_made_the_data() -> None:
    assert fit_judged(judged(20_000)) == pytest.approx((0.5, 0.5), abs=0.05)


def test_a_prompt_is_told_by_a_fit_that_has_not_seen_it() -> None:
    given = judged()
    found = reliability(held_out(given), given.right)
    assert found.brier < found.base
    assert np.ptp(held_out(Judged(np.zeros(400), given.right, given.prompt))) < 0.1


def test_wrong_concepts_in_one_prompt_only_are_too_few() -> None:
    given = judged()
    with refuses("observed", "must have right concepts in two prompts or more"):
        held_out(Judged(given.log_odds, given.prompt != 0, given.prompt))


def test_a_fit_needs_right_and_wrong_concepts() -> None:
    given = judged()
    with refuses("observed", "must hold right and wrong concepts"):
        fit_judged(Judged(given.log_odds, np.ones_like(given.right), given.prompt))


def test_images_without_a_verdict_or_of_which_nothing_was_said_are_left_out() -> None:
    rows = [
        {"id": "1", "prompt": "a", "log_odds": [0.5, 0.3]},
        {"id": "2", "prompt": "a", "log_odds": None},
        {"id": "3", "prompt": "b"},
        {"id": "4", "prompt": "b", "log_odds": [0.1, 0.2]},
        {"id": "5", "prompt": "c", "log_odds": [0.2, -0.2]},
    ]
    verdicts = {"1": [True, False], "2": [True, True], "3": [True, True], "4": None, "5": [False, True]}
    found = judged_concepts(rows, verdicts)
    assert found.log_odds.tolist() == [0.5, 0.3, 0.2, -0.2]
    assert found.right.tolist() == [True, False, False, True]
    assert found.prompt.tolist() == [0, 0, 2, 2]
    with refuses("judge"):
        judged_concepts(rows, dict.fromkeys("12345"))


def test_the_reliability_of_fewer_concepts_than_bins_has_a_point_for_each() -> None:
    found = reliability(np.array([0.9, 0.2]), np.array([True, False]))
    assert found.predicted.tolist() == [0.2, 0.9]
    assert found.happened.tolist() == [0.0, 1.0]
