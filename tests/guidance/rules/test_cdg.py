"""Condition-Degradation Guidance: no correction of its own, for e(0) is another one."""

from __future__ import annotations

from typing import Any

import pytest

from semguide.guidance import CDG, METHODS, Step
from support.refusals import refuses
from support.rule_cases import hand_predictions


def test_it_corrects_nothing_and_records_cosines_counted_from_the_degraded_prompt() -> None:
    correction, _ = CDG().correct(hand_predictions([3, 4], [5, 0], [-5, 0]), Step(0, 10, 7.5), None)
    assert correction.similarity.tolist() == pytest.approx([0.6, -0.6])
    assert (correction.delta == 0).all()


def test_it_is_at_work_at_every_step_without_the_concepts() -> None:
    assert not CDG(degraded="concepts").is_noop
    assert not any(CDG().needs_concepts(step, 10, 2) for step in range(10))


def test_only_this_rule_nulls_tokens_of_the_prompt() -> None:
    assert {name: METHODS[name]().null_tokens for name in METHODS} == {**dict.fromkeys(METHODS, ""), "cdg": "prompt"}
    assert CDG(degraded="concepts").null_tokens == "concepts"


@pytest.mark.parametrize("value", ["", "words", None, 3, ["prompt"]])
def test_unknown_degradations_are_refused(value: Any) -> None:
    with refuses("degraded", "must be one of prompt, concepts"):
        CDG(degraded=value)
