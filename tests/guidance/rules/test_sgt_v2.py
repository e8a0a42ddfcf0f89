"""The formulas of SGTv2 by hand: p = (3, 4), s = (5, 0), nothing masked, so c = 0.6, a = (0, 4), c_a = 0.8."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from semguide.guidance import Predictions, SGTv2, Step
from support.rule_cases import deltas, hand_predictions

ONE = hand_predictions([3, 4], [5, 0])
CLOSED: dict[str, Any] = {"subject_threshold": 0.0, "abstract_threshold": 0.0, "subject_percentile": 0.0}


def rule(**parameters: Any) -> SGTv2:
    return SGTv2(**{"concept_guidance_scale": 2.0, "warmup_steps": 0, **CLOSED, **parameters})


def flat(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64).reshape(1, 1, -1)


def gates(used: SGTv2, sequence: list[Predictions]) -> list[float]:
    state, found = used.initial_state(1), []
    for index, predictions in enumerate(sequence):
        correction, state = used.correct(predictions, Step(index, len(sequence), 7.5), state)
        found.append(correction.gate.item())
    return found


def test_similarities_are_absolute_cosines_of_the_step_itself() -> None:
    correction, _ = rule().correct(hand_predictions([3, 4], [-5, 0]), Step(0, 9, 7.5), rule().initial_state(1))
    assert correction.similarity.tolist() == pytest.approx([0.6])
    assert float(correction.abstract) == pytest.approx(0.8)  # type: ignore[arg-type]


def test_subject_is_added_with_its_momentum() -> None:
    found = deltas(rule(subject_threshold=0.7), [ONE] * 3)
    torch.testing.assert_close(found[0], flat(0, 0))  # warm-up
    torch.testing.assert_close(found[1], 2 * flat(6.25, 0))  # g = 5 + m / 2, m = 5 / 2
    torch.testing.assert_close(found[2], 2 * flat(7.1875, 0))  # m = 2.5 / 2 + 6.25 / 2 = 4.375


def test_momentum_grows_while_the_gate_is_closed() -> None:
    found = deltas(rule(subject_threshold=0.7, warmup_steps=1), [ONE] * 3)
    torch.testing.assert_close(found[2], 2 * flat(7.1875, 0))


def test_momentum_scale_zero_turns_momentum_off() -> None:
    torch.testing.assert_close(deltas(rule(subject_threshold=0.7, momentum_scale=0.0), [ONE] * 3)[2], flat(10, 0))


def test_abstract_gate_takes_the_prompt_without_the_abstract_part_away() -> None:
    torch.testing.assert_close(deltas(rule(abstract_threshold=0.9), [ONE] * 2)[1], 2 * flat(-3, 0))


def test_abstract_concept_is_projected_off_one_subject_after_the_other() -> None:
    used = rule(abstract_threshold=1.0)
    predictions = hand_predictions([1, 1, 1], [1, 1, 0], [1, 0, 0])
    # a0 = (1, 1, 1) -> off (1, 1, 0): (0, 0, 1) -> off (1, 0, 0): (0, 0, 1); p - a = (1, 1, 0)
    torch.testing.assert_close(deltas(used, [predictions] * 2)[1], 2 * flat(-1, -1, 0))
    swapped = hand_predictions([1, 1, 1], [1, 0, 0], [1, 1, 0])
    # a0 = (1, 1, 1) -> (0, 1, 1) -> off (1, 1, 0): (-1/2, 1/2, 1); p - a = (3/2, 1/2, 0)
    torch.testing.assert_close(deltas(used, [swapped] * 2)[1], 2 * flat(-1.5, -0.5, 0))


def test_mask_drops_what_is_below_the_quantile_of_its_channel() -> None:
    predictions = hand_predictions([1, 1, 1, 1], [4, -3, 2, 1])
    found = deltas(rule(subject_threshold=1.0, subject_percentile=0.5, momentum_scale=0.0), [predictions] * 2)
    torch.testing.assert_close(found[1], 2 * flat(4, -3, 0, 0))


def test_gate_looks_at_the_mean_of_the_steps_before() -> None:
    near, far = hand_predictions([3, 4], [3, 4]), hand_predictions([3, 4], [4, -3])  # cosines 1 and 0
    used = rule(subject_threshold=0.5)
    assert gates(used, [far, near, near, far]) == [0, 1, 0, 0]  # means -, 0, 1/2, 2/3
    assert gates(rule(subject_threshold=0.5, window=1), [far, near, near, far, far]) == [0, 1, 0, 0, 1]


@pytest.mark.parametrize(("step", "inside"), [(2, False), (3, True), (5, True), (6, False)])
def test_window_excludes_warmup_and_cooldown(step: int, inside: bool) -> None:
    found = deltas(rule(subject_threshold=0.7, warmup_steps=2, cooldown_steps=6), [ONE] * 8)
    assert bool((found[step] != 0).any()) is inside
