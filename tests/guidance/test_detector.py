"""How likely a concept is to be right under plain guidance, told from its early lag."""

from __future__ import annotations

import numpy as np
import pytest

from semguide.guidance.detector import Detector
from support.refusals import refuses


def test_a_concept_that_lags_behind_is_less_likely_to_be_right() -> None:
    similarity = np.array([[0.8, 0.1], [0.6, 0.3], [0.0, 0.9], [0.0, 0.9], [0.0, 0.9], [0.0, 0.9]])
    cosine, relative = Detector().features(similarity)
    np.testing.assert_allclose(cosine, [0.7, 0.2])
    np.testing.assert_allclose(relative, [0.5, -0.5])
    found = Detector(0.5, 0.0, 2.0).probability(similarity)
    assert found is not None
    np.testing.assert_allclose(found, [1 / (1 + np.exp(-1.5)), 1 / (1 + np.exp(0.5))])


def test_early_steps_without_evaluations_are_skipped_and_none_at_all_say_nothing() -> None:
    similarity = np.full((6, 2), np.nan)
    assert Detector(0.0, 0.0, 1.0).probability(similarity) is None
    similarity[1] = [0.4, 0.4]
    found = Detector(0.0, 0.0, 1.0).probability(similarity)
    assert found is not None
    np.testing.assert_allclose(found, [0.5, 0.5])


def test_a_run_without_concepts_has_no_probability() -> None:
    assert Detector().probability(np.empty((6, 0))) is None


def test_one_concept_has_nothing_to_lag_behind() -> None:
    _, relative = Detector().features(np.array([[0.3], [0.3], [0.3]]))
    assert relative.tolist() == [0.0]


@pytest.mark.parametrize("values", [{"stop": 0.0}, {"stop": 1.5}, {"cosine": float("nan")}])
def test_values_out_of_range_are_refused(values: dict[str, float]) -> None:
    with refuses(next(iter(values))):
        Detector(**values)


def test_a_cosine_that_is_no_number_is_no_probability() -> None:
    similarity = np.full((6, 2), 0.5)
    similarity[1, 0] = np.nan
    assert Detector().probability(similarity) is None
