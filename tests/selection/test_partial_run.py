"""The first steps of a seed and the rest of them are the image of the seed alone, in every family."""

from __future__ import annotations

from typing import Any

import torch

from semguide import steer
from semguide.selection import DetectorScore, PartialRun
from support.families.rows import ACTIVE, every_row
from support.families.run import ROWS, arguments_of, made
from support.tiny.calls import CONCEPTS, PROMPT, noise


@every_row
def test_a_start_that_is_finished_is_the_image_of_its_seed(name: str) -> None:
    family, tuned = ROWS[name], steer(made(name), ACTIVE)
    given = {**arguments_of(family), "concepts": CONCEPTS}
    del given["generator"]
    with torch.random.fork_rng(devices=[]):
        whole = seeded(lambda: tuned(PROMPT, generator=noise(4), **given))
        start = seeded(lambda: PartialRun(tuned, PROMPT, 4, DetectorScore(), given))
        first = start.evaluations
        finished = seeded(start.finish)
    assert torch.equal(getattr(finished.output, family.output), getattr(whole.output, family.output))
    assert 0 < first < start.evaluations == whole.evaluations[0]


def seeded(call: Any) -> Any:
    """Call with PyTorch's own generator at its start: some pipelines encode images with it."""
    torch.manual_seed(0)
    return call()
