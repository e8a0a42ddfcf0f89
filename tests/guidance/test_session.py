"""A run of a rule over images: who needs concepts, what it costs, what is remembered, recorded and told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

from semguide.guidance import CFG, SGT, Correction, Predictions, Rule, RuleSession, SGTv2, Step
from semguide.guidance.rule import no_correction, step_evaluations
from support.rule_cases import random_predictions

BOOK, VASE = "a red book", "a yellow vase"


class Shortest(Rule[None]):
    name = "shortest"

    def correct(self, predictions: Predictions, step: Step, state: None) -> tuple[Correction, None]:
        return no_correction(predictions, predictions.similarity), None


@dataclass(frozen=True)
class Counting(Rule[int]):
    """Its correction is the number of steps before."""

    name = "counting"

    def initial_state(self, num_concepts: int) -> int:
        return 0

    def correct(self, predictions: Predictions, step: Step, state: int) -> tuple[Correction, int]:
        ones = torch.ones(len(predictions.concepts))
        return Correction(torch.full_like(predictions.uncond, state), ones, ones, ones), state + 1


class Looking:
    """Wants the concepts at the first step, and keeps what it is shown."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, int]] = []

    def needs_concepts(self, step: int, count: int) -> bool:
        return step == 0

    def on_predictions(self, image: int, step: Step, predictions: Predictions) -> None:
        self.seen.append((image, step.index))


def test_a_rule_needs_a_name_and_its_correction_only() -> None:
    rule = Shortest()
    session = RuleSession(rule, [[BOOK]])
    assert (session.active, session.images_with_concepts(0, 4)) == (True, [0])
    assert (rule.is_noop, rule.initial_state(2), rule.citation()) == (False, None, "")
    assert (rule.min_concepts, rule.repels, rule.null_tokens) == (1, False, "")
    assert [rule.evaluations_per_image(4, concepts) for concepts in (0, 1, 3)] == [8, 12, 20]


def test_concepts_are_needed_where_the_rule_the_trace_or_a_watcher_wants_them() -> None:
    images, rule = [[BOOK, VASE], [BOOK], []], SGT(stop=0.5)
    assert [RuleSession(rule, images).images_with_concepts(step, 4) for step in range(4)] == [[0], [0], [], []]
    full = RuleSession(CFG(), images, full_trace=True)
    assert [full.images_with_concepts(step, 4) for step in (0, 3)] == [[0, 1], [0, 1]]
    watched = RuleSession(CFG(), images, watcher=Looking())
    assert [watched.images_with_concepts(step, 4) for step in (0, 3)] == [[0, 1], []]


@pytest.mark.parametrize(
    ("options", "active"), [({}, False), ({"full_trace": True}, True), ({"watcher": Looking()}, True)]
)
def test_plain_guidance_is_active_only_where_somebody_looks(options: dict[str, Any], active: bool) -> None:
    assert RuleSession(CFG(), [[BOOK]], **options).active is active


def test_the_state_goes_on_once_a_step_and_for_each_image_alone() -> None:
    session, predictions = RuleSession(Counting(), [[BOOK, VASE]] * 2), random_predictions(1)

    def corrected(image: int, step: int) -> float:
        return float(session.correct(image, Step(step, 4, 7.5), predictions).mean())

    assert [corrected(0, step) for step in (0, 0, 1, 1, 1, 2)] == [0, 0, 1, 1, 1, 2]
    assert [corrected(1, step) for step in (0, 3)] == [0, 1]


def test_corrections_and_trace_are_those_of_the_rule_by_hand() -> None:
    rule = SGTv2(warmup_steps=0, subject_threshold=1.0)
    session, state, rows = RuleSession(rule, [[BOOK, VASE]]), rule.initial_state(2), []
    for index in range(3):
        predictions, step = random_predictions(index), Step(index, 4, 7.5)
        expected, state = rule.correct(predictions, step, state)
        assert torch.equal(session.correct(0, step, predictions), expected.delta)
        rows.append(expected)
    trace = session.trace(4)
    assert (trace.method, trace.concepts) == ("sgt-v2", ((BOOK, VASE),))
    for name in ("similarity", "gate", "weight"):
        found = getattr(trace, name)[0]
        np.testing.assert_array_equal(found[:3], torch.stack([getattr(row, name) for row in rows]).numpy())
        assert np.isnan(found[3]).all()
    assert trace.abstract[0] is not None


def test_observer_and_watcher_are_told_image_and_step() -> None:
    told: list[tuple[int, int]] = []
    watcher = Looking()
    session = RuleSession(
        CFG(), [[BOOK]], observer=lambda image, step, correction: told.append((image, step)), watcher=watcher
    )
    predictions, step = random_predictions(1, concepts=1), Step(2, 4, 7.5)
    session.correct(0, step, predictions)
    session.notify_watcher(0, step, predictions)
    assert told == watcher.seen == [(0, 2)]


def test_evaluations_are_counted_for_one_image_or_for_each() -> None:
    session = RuleSession(CFG(), [[BOOK], []])
    session.count_evaluations(2)
    session.count_evaluations(3, image=0)
    assert session.evaluations == [5, 2]


def test_a_step_costs_both_branches_and_each_concept_and_without_an_unconditional_branch_one() -> None:
    assert [step_evaluations(concepts) for concepts in (0, 1, 3)] == [2, 3, 5]
    assert [step_evaluations(concepts, "embedded") for concepts in (0, 1, 3)] == [1, 3, 5]
    assert SGT(stop=0.5).evaluations_per_image(4, 2) == 2 * 4 + 2 * 2
    assert SGT(stop=0.5).evaluations_per_image(4, 2, full_trace=True) == 4 * 4
