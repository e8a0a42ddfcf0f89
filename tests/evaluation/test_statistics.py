import numpy as np
import pytest

from semguide.evaluation.statistics import Estimate, bootstrap
from support.refusals import refuses


def test_the_interval_covers_a_known_mean_about_19_times_in_20():
    rng = np.random.default_rng(0)
    estimates = [bootstrap(rng.normal(0.3, 1.0, 60), resamples=1000, seed=i) for i in range(200)]
    covered = np.mean([estimate.low <= 0.3 <= estimate.high for estimate in estimates])
    assert 0.90 <= covered <= 0.98


def test_the_interval_has_the_width_of_the_normal_approximation():
    values = np.random.default_rng(1).normal(0.0, 1.0, 400)
    estimate = bootstrap(values)
    assert estimate.mean == pytest.approx(values.mean())
    assert estimate.high - estimate.low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.05)


def test_equal_values_give_an_interval_of_no_width():
    assert bootstrap([0.5] * 7) == Estimate(0.5, 0.5, 0.5)
    assert bootstrap([1.0]) == Estimate(1.0, 1.0, 1.0)


def test_the_same_seed_gives_the_same_interval():
    values = [0.0, 1.0, 0.5, 0.25]
    assert bootstrap(values, seed=3) == bootstrap(values, seed=3)


def test_an_estimate_reads_as_mean_and_interval():
    assert str(Estimate(0.5, 0.4, 0.6)) == "0.500 [0.400, 0.600]"


@pytest.mark.parametrize("values", [[], [[0.1, 0.2]], 0.5])
def test_values_that_are_no_list_of_numbers_are_refused(values: object):
    with refuses("values", "must be one number per prompt and at least one"):
        bootstrap(values)  # pyright: ignore[reportArgumentType]


def test_nan_and_no_resamples_are_refused():
    with refuses("values", "must be finite"):
        bootstrap([0.5, float("nan")])
    with refuses("resamples", "must be >= 1"):
        bootstrap([0.5], resamples=0)
