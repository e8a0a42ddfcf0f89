"""The whole folder: names of sampling methods."""

from semguide.evaluation.sampling_methods import SAMPLING_METHODS
from semguide.guidance import METHODS
from semguide.guidance.methods import BENCHMARK_METHODS


def test_names_are_unique_over_rules_and_sampling_methods():
    assert [method.name for method in SAMPLING_METHODS.values()] == list(SAMPLING_METHODS)
    assert tuple(SAMPLING_METHODS) == BENCHMARK_METHODS
    assert not set(SAMPLING_METHODS) & set(METHODS)
