from dataclasses import replace

import torch

from semguide.scenes import SMALL_WORLD
from semguide.training.data import Batches
from semguide.training.workers import Workers


def test_batches_from_workers_are_the_same_in_whatever_order_they_are_asked_for():
    workers = Workers(1, ahead=2)
    alone = Batches(SMALL_WORLD, 32, 4, seed=3)
    helped = replace(alone, workers=workers)
    for index in (0, 1, 2, 10**6, 3, 1):
        (a, captions_a), (b, captions_b) = alone(index), helped(index)
        assert torch.equal(a, b)
        assert captions_a == captions_b
    assert sorted(workers._waiting) == [2, 3]  # those to come, and no others
