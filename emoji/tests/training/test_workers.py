import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from semguide_emoji.scenes import SMALL_WORLD
from semguide_emoji.training.data import Batches
from semguide_emoji.training.workers import Workers


def test_batches_from_workers_are_the_same_in_whatever_order_they_are_asked_for():
    workers = Workers(1, ahead=2)
    alone = Batches(SMALL_WORLD, 32, 4, seed=3)
    helped = replace(alone, workers=workers)
    for index in (0, 1, 2, 10**6, 3, 1):
        (a, captions_a), (b, captions_b) = alone(index), helped(index)
        assert torch.equal(a, b)
        assert captions_a == captions_b
    assert sorted(workers._waiting) == [2, 3]  # those to come, and no others


KILLED = """
import os, signal
from semguide_emoji.training.workers import Workers
Workers(2, ahead=2)(abs, 0)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_workers_end_with_the_process_that_started_them():
    # It has ended when every process that has the pipe open has.
    done = subprocess.run([sys.executable, "-c", KILLED], stdout=subprocess.PIPE, timeout=120, check=False)
    assert done.returncode == -signal.SIGKILL
