import base64

import numpy as np
import pytest

from semguide.evaluation.metrics.features import diversity, frechet_distance, pack, unpack
from support.refusals import refuses

RNG = np.random.default_rng(0)


def test_a_packed_vector_is_read_to_half_precision_in_four_thirds_of_two_bytes_a_number():
    vectors = RNG.normal(size=(3, 192))
    packed = [pack(vector) for vector in vectors]
    assert unpack(packed) == pytest.approx(vectors, rel=1e-3, abs=1e-4)
    assert len(packed[0]) == 192 * 2 * 4 / 3
    assert np.frombuffer(base64.b64decode(packed[0]), "<f2")[5] == np.float16(vectors[0, 5])


def test_diversity_is_the_mean_over_pairs():
    assert diversity(np.array([[1.0, 0.0], [2.0, 0.0]])) == pytest.approx(0.0)
    assert diversity(np.array([[1.0, 0.0], [0.0, 3.0], [-1.0, 0.0]])) == pytest.approx((1 + 2 + 1) / 3)


def test_one_image_differs_from_nothing():
    with refuses("features", "must be of at least 2 images"):
        diversity(np.ones((1, 4)))
    with refuses("reference", "must be of at least 2 images"):
        frechet_distance(np.ones((2, 4)), np.ones((1, 4)))


def test_the_distance_of_a_set_to_itself_is_zero_and_a_shift_adds_its_square():
    features = RNG.normal(size=(50, 6))
    assert frechet_distance(features, features) == pytest.approx(0.0, abs=1e-9)
    shift = np.array([3.0, 0.0, 0.0, 4.0, 0.0, 0.0])
    assert frechet_distance(features + shift, features) == pytest.approx(25.0)


def test_the_distance_agrees_with_the_matrix_square_root_also_of_few_images():
    linalg = pytest.importorskip("scipy.linalg")
    for count in (40, 4):
        first, second = RNG.normal(size=(count, 6)), RNG.normal(size=(count, 6)) * 2 + 1
        covariances = [np.cov(given, rowvar=False) for given in (first, second)]
        apart = first.mean(axis=0) - second.mean(axis=0)
        root = linalg.sqrtm(covariances[0] @ covariances[1] + 1e-12 * np.eye(6)).real
        expected = apart @ apart + np.trace(covariances[0] + covariances[1] - 2 * root)
        assert frechet_distance(first, second) == pytest.approx(expected, rel=1e-4)
        assert frechet_distance(second, first) == pytest.approx(expected, rel=1e-4)
