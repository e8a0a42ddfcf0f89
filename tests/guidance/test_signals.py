"""What the predictions of one step say about each concept."""

from __future__ import annotations

import math

import pytest
import torch

from semguide.guidance import Predictions, Step
from semguide.guidance.signals import SIGNALS
from support.rule_cases import hand_predictions, map_predictions, random_predictions

STEP = Step(0, 10, 5.0)
SIZES = {"distance", "magnitude", "guidance_energy"}


def values(name: str, predictions: Predictions, step: Step = STEP) -> list[float]:
    return SIGNALS[name](predictions, step).tolist()


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("concepts", [1, 2, 4])
def test_every_signal_is_one_finite_number_per_concept(name: str, concepts: int) -> None:
    found = SIGNALS[name](random_predictions(3, concepts), STEP)
    assert found.shape == (concepts,)
    assert bool(found.isfinite().all())


@pytest.mark.parametrize("name", SIGNALS)
def test_signals_are_the_same_for_any_parametrisation(name: str) -> None:
    predictions = random_predictions(4)
    scaled = map_predictions(predictions, lambda x: -2.5 * x)
    expected = SIGNALS[name](predictions, STEP)
    torch.testing.assert_close(SIGNALS[name](scaled, Step(0, 10, 5.0, -0.4)), expected)


@pytest.mark.parametrize("name", sorted(SIGNALS.keys() - SIZES))
def test_signals_without_a_unit_do_not_depend_on_the_size_of_the_guidance(name: str) -> None:
    predictions = random_predictions(5)
    larger = map_predictions(predictions, lambda x: 7.0 * x)
    torch.testing.assert_close(SIGNALS[name](larger, STEP), SIGNALS[name](predictions, STEP))


@pytest.mark.parametrize("name", SIGNALS)
def test_tokens_and_channels_say_the_same_as_images(name: str) -> None:
    predictions = random_predictions(6, 3)
    tokens = map_predictions(predictions, lambda x: x.flatten(-2).transpose(-1, -2))
    if name == "separation":  # rows and columns are not known of tokens
        assert SIGNALS[name](tokens, STEP).isnan().all()
        return
    torch.testing.assert_close(SIGNALS[name](tokens, STEP), SIGNALS[name](predictions, STEP))


def test_values_by_hand() -> None:
    predictions = hand_predictions([3.0, 4.0], [1.0, 0.0], [0.0, -2.0])
    assert values("signed_cosine", predictions) == pytest.approx([0.6, -0.8])
    assert values("absolute_cosine", predictions) == pytest.approx([0.6, 0.8])
    assert values("relative_cosine", predictions) == pytest.approx([1.4, -1.4])
    assert values("regional_cosine", predictions) == pytest.approx([1.0, -1.0])  # at one place
    assert values("coefficient", predictions) == pytest.approx([3.0, -2.0], rel=5e-3)
    assert values("crowding", predictions) == pytest.approx([0.0, 0.0])
    assert values("distance", predictions) == pytest.approx([20**0.5, 45**0.5])
    assert values("relative_distance", predictions) == pytest.approx([math.log(20**0.5 / 5), math.log(45**0.5 / 5)])
    assert values("magnitude", predictions) == pytest.approx([1.0, 2.0])
    assert values("relative_magnitude", predictions) == pytest.approx([math.log(1 / 5), math.log(2 / 5)])
    assert values("guidance_energy", predictions) == pytest.approx([25.0, 25.0])


def test_a_concept_alone_has_nothing_to_lag_behind() -> None:
    predictions = hand_predictions([3.0, 4.0], [1.0, 0.0])
    assert values("relative_cosine", predictions) == [0.0]
    assert values("crowding", predictions) == [0.0]
    assert values("prominence", predictions) == [0.0]
    assert values("separation", predictions) == [0.0]
    assert values("overlap", predictions) == [0.0]


def in_places(prompt: list[list[float]], *subjects: list[list[float]]) -> Predictions:
    """Guidances given as (place, channel)."""
    rows = [torch.tensor(values).T[:, :, None] for values in (prompt, *subjects)]
    return Predictions(torch.zeros_like(rows[0]), rows[0], torch.stack(rows[1:]))


def test_concepts_that_guide_the_same_places_overlap_and_those_apart_do_not() -> None:
    prompt = [[1.0, 1.0], [1.0, 1.0]]
    apart = in_places(prompt, [[1.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 1.0]])
    together = in_places(prompt, [[1.0, 0.0], [0.0, 0.0]], [[0.0, 1.0], [0.0, 0.0]])
    half = in_places(prompt, [[1.0, 0.0], [0.0, 0.0]], [[0.0, 1.0], [0.0, 1.0]])
    for name in ("overlap", "agreement_overlap"):
        assert values(name, apart) == pytest.approx([0.0, 0.0])
        assert values(name, together) == pytest.approx([1.0, 1.0])
        assert values(name, half) == pytest.approx([0.5**0.5, 0.5**0.5])


def test_the_overlap_is_with_the_concept_that_is_nearest() -> None:
    one, other, far = [[1.0], [0.0], [0.0]], [[1.0], [1.0], [0.0]], [[0.0], [0.0], [1.0]]
    assert values("overlap", in_places([[1.0], [1.0], [1.0]], one, other, far)) == pytest.approx([0.5**0.5] * 2 + [0.0])


def test_prominence_is_where_the_prompt_leans_to_what_sets_a_concept_apart() -> None:
    """d = (1, -1) / 2 and its opposite at both places; p leans to the first at one and to neither at the other."""
    found = in_places([[1.0, -1.0], [1.0, 1.0]], [[1.0, 0.0], [1.0, 0.0]], [[0.0, 1.0], [0.0, 1.0]])
    assert values("prominence", found) == pytest.approx([2**0.5, 0.0])


def test_concepts_in_opposite_corners_are_the_diagonal_apart() -> None:
    first, second = torch.zeros(1, 2, 3), torch.zeros(1, 2, 3)
    first[0, 0, 0], second[0, 1, 2] = 1.0, 1.0
    predictions = Predictions(torch.zeros(1, 2, 3), first + second, torch.stack([first, second]))
    assert values("separation", predictions) == pytest.approx([8**0.5, 8**0.5])
