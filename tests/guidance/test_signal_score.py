"""How likely each concept is to be right, told from the first steps of any rule."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from semguide.guidance import CFG, SGT, Predictions, Rule, RuleSession, SGTv1, SGTv2, Step
from semguide.guidance.signal_score import (
    IN_PLACES,
    IN_TOKENS,
    SignalFit,
    SignalRecorder,
    chance,
    log_odds_of,
    score_of,
    step_terms,
)
from semguide.guidance.signals import SIGNALS
from support.rule_cases import map_predictions, random_predictions

COUNT = 5
FIRST = 2


def recorded(rule: Rule[Any], seeds: list[int], concepts: int = 2) -> list[list[float] | None]:
    """Run a rule over some images of random predictions, all of them with every concept, and return their log-odds."""
    session = RuleSession(rule, [[str(k) for k in range(concepts)]] * len(seeds))
    for step in range(COUNT):
        for image, seed in enumerate(seeds):
            session.correct(image, Step(step, COUNT, 7.0), random_predictions(seed + 10 * step, concepts))
    return session.log_odds()


def by_hand(seed: int, concepts: int = 2) -> list[float]:
    steps = [(Step(i, COUNT, 7.0), random_predictions(seed + 10 * i, concepts)) for i in range(FIRST)]
    return log_odds_of([step_terms(step, predictions) for step, predictions in steps])


@pytest.mark.parametrize(("fit", "packed"), [(IN_PLACES, False), (IN_TOKENS, True)])
def test_the_log_odds_are_weighted_means_over_the_first_steps_and_last_values(fit: SignalFit, packed: bool) -> None:
    steps, at = [random_predictions(seed, 3) for seed in (1, 2)], Step(0, 4, 7.0)
    if packed:
        steps = [map_predictions(each, lambda x: x.flatten(-2).transpose(-1, -2)) for each in steps]
    odds = torch.full((3,), fit.intercept)
    for name, weight in fit.mean.items():
        odds = odds + weight * torch.stack([SIGNALS[name](predictions, at) for predictions in steps]).mean(dim=0)
    for name, weight in fit.last.items():
        odds = odds + weight * SIGNALS[name](steps[-1], at)
    assert log_odds_of([step_terms(at, predictions) for predictions in steps]) == pytest.approx(odds.tolist(), rel=1e-5)


@pytest.mark.parametrize("rule", [CFG(), SGT(), SGTv1(), SGTv2()], ids=lambda rule: rule.name)
def test_under_every_rule_each_image_has_those_of_its_own_first_steps(rule: Rule[Any]) -> None:
    for found, seed in zip(recorded(rule, [1, 2]), (1, 2), strict=True):
        assert found == pytest.approx(by_hand(seed), rel=1e-6)


def test_one_concept_has_log_odds_too() -> None:
    (found,) = recorded(CFG(), [1], concepts=1)
    assert found == pytest.approx(by_hand(1, concepts=1))


def test_of_several_predictions_in_a_step_the_last_count() -> None:
    recorder, at = SignalRecorder(), Step(0, COUNT, 7.0)
    recorder.add(0, at, random_predictions(5, 2))
    recorder.add(0, at, random_predictions(6, 2))
    assert recorder.log_odds(1) == [log_odds_of([step_terms(at, random_predictions(6, 2))])]


def test_nothing_is_said_where_no_concept_was_looked_at_in_the_first_steps() -> None:
    recorder = SignalRecorder()
    seen, none = random_predictions(1, 2), torch.zeros(0, *random_predictions(1, 2).cond.shape)
    recorder.add(0, Step(FIRST, COUNT, 7.0), seen)
    recorder.add(1, Step(0, COUNT, 7.0), Predictions(seen.uncond, seen.cond, none))
    recorder.add(2, Step(0, COUNT, 7.0), seen)
    *nothing, told = recorder.log_odds(3)
    assert nothing == [None, None]
    assert told is not None


def test_a_concept_in_places_of_its_own_scores_more_than_one_where_the_other_sits() -> None:
    def of(*subjects: list[list[float]]) -> float:
        rows = [torch.tensor(values).T[:, :, None] for values in ([[1.0, 0.0], [0.0, 1.0]], *subjects)]
        predictions = Predictions(torch.zeros_like(rows[0]), rows[0], torch.stack(rows[1:]))
        return score_of(log_odds_of([step_terms(Step(0, 10, 7.0), predictions)])) or 0

    apart = of([[1.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 1.0]])
    together = of([[1.0, 0.0], [0.0, 0.0]], [[0.8, 0.2], [0.0, 0.0]])
    assert apart > together


def test_an_image_is_as_likely_right_as_all_its_concepts_together() -> None:
    assert score_of([0.0, 0.0]) == 0.25
    assert score_of([]) is None
    assert score_of(None) is None
    assert (chance(-1e4), chance(1e4)) == (0.0, 1.0)
