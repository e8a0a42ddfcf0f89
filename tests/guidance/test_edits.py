"""The formula of edits by hand: directions, scales, thresholds, weights, windows and momentum."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from semguide import CDG, CFG, SEGA, SGT, Edit, Edits
from semguide.guidance import Predictions, Step
from semguide.guidance.cost import Cost
from semguide.guidance.edit_session import EditSession
from semguide.guidance.edits import check_edits_beside, edit_evaluations, edits_act, needed_edits
from support.refusals import refuses
from support.rule_cases import hand_predictions, random_predictions

UNCOND = torch.ones(1, 1, 3, dtype=torch.float64)
HAT = Edit("a hat", scale=2.0, threshold=0.0, start=0.0)
SNOW = Edit("snow", "less", scale=1.0, threshold=0.0, start=0.0)
NO_MOMENTUM = {"momentum_scale": 0.0}


def corrections(edits: Edits, guidances: list[list[float]], count: int, eps_scale: float = 1.0) -> list[list[float]]:
    """Return what each of `count` steps adds, the guidances of the edits being the same at all of them."""
    session, found = EditSession(edits, 1), []
    for index in range(count):
        needed = session.needed(index, count)
        rows = hand_predictions(guidances[0], *(guidances[k] for k in needed)).concepts
        delta = session.correct(0, Step(index, count, 7.5, eps_scale), UNCOND, rows)
        found.append(delta.flatten().tolist())
    return found


def test_more_adds_the_guidance_of_a_text_and_less_subtracts_it() -> None:
    edits = Edits((HAT, SNOW), **NO_MOMENTUM)
    assert corrections(edits, [[1, 2, -4], [3, 0, 1]], 1) == [[2 - 3, 4, -8 - 1]]


def test_guidance_below_an_edits_own_threshold_is_dropped() -> None:
    edits = Edits((Edit("a hat", scale=1.0, threshold=0.5, start=0.0), SNOW), **NO_MOMENTUM)
    assert corrections(edits, [[1, 2, -4], [0, 0, 1]], 1) == [[0, 2, -5]]


def test_weights_are_factors_once_all_edits_have_begun() -> None:
    edits = Edits((HAT, Edit("snow", "less", scale=1.0, threshold=0.0, start=0.0, weight=0.5)), **NO_MOMENTUM)
    assert corrections(edits, [[1, 0, 0], [0, 4, 0]], 1) == [[2, -2, 0]]


def test_before_all_have_begun_those_that_have_are_averaged_by_weight() -> None:
    early = Edit("a hat", scale=1.0, threshold=0.0, start=0.0, weight=3.0)
    other = Edit("a bow", scale=1.0, threshold=0.0, start=0.0, weight=1.0)
    late = Edit("snow", "less", scale=1.0, threshold=0.0, start=0.5)
    found = corrections(Edits((early, other, late), **NO_MOMENTUM), [[4, 0, 0], [0, 4, 0], [0, 0, 4]], 2)
    assert found == [[3, 1, 0], [12, 4, -4]]


def test_an_edit_that_has_ended_adds_nothing() -> None:
    edits = Edits((Edit("a hat", scale=1.0, threshold=0.0, start=0.0, stop=0.5), SNOW), **NO_MOMENTUM)
    assert corrections(edits, [[1, 0, 0], [0, 1, 0]], 4) == [[1, -1, 0]] * 2 + [[0, -1, 0]] * 2


def test_momentum_is_built_up_before_the_start_and_outlasts_the_end() -> None:
    edit = Edit("a hat", scale=1.0, threshold=0.0, start=0.25, stop=0.75)
    found = corrections(Edits((edit,), momentum_scale=0.5, momentum_beta=0.4), [[1, 0, 0]], 4)
    assert [step[0] for step in found] == pytest.approx([0, 1.3, 1 + 0.5 * 1.02, 0.5 * (0.4 * 1.02 + 0.6 * 1.51)])


def test_momentum_is_kept_in_eps_space() -> None:
    edits = Edits((Edit("a hat", scale=1.0, threshold=0.0, start=0.0),), momentum_scale=0.5, momentum_beta=0.4)
    one, other = corrections(edits, [[1, 0, 0]], 3), corrections(edits, [[1, 0, 0]], 3, eps_scale=4.0)
    assert [step[0] for step in one] == pytest.approx([step[0] for step in other])


def test_edits_of_one_start_are_sega_on_the_same_texts() -> None:
    predictions = [random_predictions(seed) for seed in range(6)]
    rule, state = SEGA(warmup_steps=2), None
    session = EditSession(Edits((Edit("a hat", start=1 / 3), Edit("a bow", start=1 / 3))), 1)
    for index, found in enumerate(predictions):
        step = Step(index, 6, 7.5)
        correction, state = rule.correct(found, step, state)
        delta: Tensor = session.correct(0, step, found.uncond, found.concepts)
        assert torch.equal(delta, correction.delta)


@pytest.mark.parametrize(
    ("edits", "needed"),
    [
        (Edits((HAT, SNOW)), [[0, 1]] * 4),
        (Edits((Edit("a hat", start=0.5),)), [[0]] * 4),
        (Edits((Edit("a hat", start=0.5),), **NO_MOMENTUM), [[], [], [0], [0]]),
        (Edits((Edit("a hat", start=0.5),), momentum_beta=1.0), [[], [], [0], [0]]),
        (Edits((Edit("a hat", start=0.25, stop=0.5), HAT_LATE := Edit("a bow", start=0.5))), [[0, 1]] * 2 + [[1]] * 2),
        (Edits((Edit("a hat", start=0.99),)), [[]] * 4),
    ],
)
def test_edits_are_evaluated_where_they_act_or_are_remembered_only(edits: Edits, needed: list[list[int]]) -> None:
    assert [needed_edits(edits, step, 4) for step in range(4)] == needed
    assert edit_evaluations(edits, 4) == sum(map(len, needed))
    assert HAT_LATE.direction == "more"


def test_a_momentum_acts_after_the_last_evaluation() -> None:
    edits = Edits((Edit("a hat", start=0.0, stop=0.5),))
    assert [edits_act(edits, step, 4) for step in range(4)] == [True] * 4
    assert needed_edits(edits, 3, 4) == []


def test_edits_are_counted_in_what_a_budget_buys() -> None:
    edits = Edits((HAT, SNOW))
    assert Cost(CFG(), edits=edits)(10, 2) == 10 * (2 + 2)
    assert Cost(SGT(stop=1.0), edits=edits)(10, 2) == 10 * (2 + 2 + 2)


def test_samples_of_a_batch_remember_apart() -> None:
    edits = Edits((Edit("a hat", scale=1.0, threshold=0.0, start=0.0),), momentum_scale=1.0, momentum_beta=0.0)
    session = EditSession(edits, 2)
    rows: Predictions = hand_predictions([1, 0, 0], [1, 0, 0])
    session.correct(0, Step(0, 2, 7.5), UNCOND, rows.concepts)
    assert session.correct(1, Step(1, 2, 7.5), UNCOND, rows.concepts).flatten().tolist() == [1, 0, 0]


def test_edits_cannot_stand_beside_a_degraded_prompt() -> None:
    check_edits_beside(SGT())
    with refuses("edits", "cdg"):
        check_edits_beside(CDG())
    with refuses("uncond_every", "must be 1 beside edits", 2):
        check_edits_beside(SGT(uncond_every=2))
