"""The formulas of SGTv1, computed by hand: p = (3, 4), s = (5, 0), so c = 0.6, a = perp(p, s) = (0, 4), c_a = 0.8."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from semguide.guidance import Correction, SGTv1, Step
from support.refusals import refuses
from support.rule_cases import hand_predictions

ONE = hand_predictions([3, 4], [5, 0])
CLOSED: dict[str, Any] = {"subject_threshold": 0.0, "abstract_threshold": 0.0, "upper_bound": 1.0}


def correct(step: int = 0, **parameters: Any) -> Correction:
    rule = SGTv1(concept_guidance_scale=2.0, **{**CLOSED, **parameters})
    return rule.correct(ONE, Step(step, 10, 7.5), None)[0]


def assert_delta(correction: Correction, *values: float) -> None:
    torch.testing.assert_close(correction.delta.flatten(), torch.tensor(values, dtype=torch.float64))


def test_similarities_are_absolute_cosines() -> None:
    assert correct().similarity.tolist() == pytest.approx([0.6])
    assert float(correct().abstract) == pytest.approx(0.8)  # type: ignore[arg-type]
    opposite = hand_predictions([3, 4], [-5, 0])
    assert SGTv1().correct(opposite, Step(0, 10, 7.5), None)[0].similarity.tolist() == pytest.approx([0.6])


def test_closed_gates_correct_nothing() -> None:
    assert_delta(correct(), 0, 0)


def test_lagging_subject_is_pulled_along_its_missing_component() -> None:
    correction = correct(subject_threshold=0.65)
    assert_delta(correction, 6.4, -4.8)  # 2 perp((5, 0), (3, 4)) = 2 (3.2, -2.4)
    assert correction.gate.tolist() == [1]
    assert correction.weight.tolist() == [2]


def test_leading_subject_is_pushed_away() -> None:
    correction = correct(upper_bound=0.55)
    assert_delta(correction, -6.4, 4.8)
    assert correction.gate.tolist() == [-1]


def test_both_conditions_cancel() -> None:
    assert_delta(correct(subject_threshold=0.65, upper_bound=0.55), 0, 0)


def test_abstract_concept_is_masked_at_its_own_similarity() -> None:
    assert_delta(correct(abstract_threshold=0.85), 0, 8)  # T_0.8(2 (0, 4))


def test_automatic_threshold_is_one_over_concepts_plus_one() -> None:
    rule = SGTv1(abstract_threshold=0.0, upper_bound=1.0)
    for other, expected in (([0.0, 1.0], 1.0), ([1.0, 1.0], 0.0)):  # cosines 0 and 0.71 against 1/3
        predictions = hand_predictions([1, 0], other, [1, 0.5])
        assert rule.correct(predictions, Step(0, 10, 7.5), None)[0].gate.tolist() == [expected, 0.0]


def test_subject_terms_are_summed() -> None:
    rule = SGTv1(concept_guidance_scale=1.0, subject_threshold=1.0, abstract_threshold=0.0, upper_bound=1.0)
    predictions = hand_predictions([1, 0, 0], [1, 2, 0], [1, 0, 3])
    assert_delta(rule.correct(predictions, Step(0, 10, 7.5), None)[0], 0, 2, 3)


@pytest.mark.parametrize(("step", "inside"), [(1, False), (2, True), (4, True), (5, False)])
def test_window_includes_warmup_and_cooldown(step: int, inside: bool) -> None:
    correction = correct(step, subject_threshold=0.65, warmup_steps=2, cooldown_steps=4)
    assert bool((correction.delta != 0).any()) is inside
    assert correction.gate.tolist() == [float(inside)]
    assert correction.similarity.tolist() == pytest.approx([0.6])


def test_threshold_must_be_a_number_or_auto() -> None:
    with refuses("subject_threshold"):
        SGTv1(subject_threshold="low")  # type: ignore[arg-type]
