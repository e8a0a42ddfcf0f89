"""Batches of pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from semguide.evaluation import image_batches
from semguide.evaluation.image_batches import ImageBatch, generate_batches
from semguide.evaluation.suites import SuitePrompt, suite
from semguide.guidance import CFG
from support.refusals import refuses

PROMPTS = suite("emoji-ae")[:3]


class Drawn:
    """A steered pipeline whose pictures hold prompt and seed as numbers."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def __call__(self, prompts: list[str], *, generator: list[torch.Generator], **_: Any) -> Any:
        self.batches.append(len(prompts))
        known = [prompt.text for prompt in PROMPTS]
        numbers = [[known.index(p), g.initial_seed(), 0] for p, g in zip(prompts, generator, strict=True)]
        images = torch.tensor(numbers).float()[..., None, None] / 255
        return type("Result", (), {"images": images, "evaluations": [2] * len(prompts)})()


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Drawn:
    pipeline = Drawn()
    monkeypatch.setattr(image_batches, "steer", lambda pipe, rule, batch_invariant: pipeline)
    return pipeline


def run(prompts: list[SuitePrompt] = PROMPTS, seeds: tuple[int, ...] = (0, 1, 2), **options: Any) -> ImageBatch:
    return generate_batches(None, CFG(5.0), prompts, seeds, num_inference_steps=2, **options)


def test_every_prompt_is_made_with_every_seed_prompt_by_prompt(drawn: Drawn):
    made = run(batch_size=4)
    assert drawn.batches == [4, 4, 1]
    assert made.images.shape == (9, 1, 1, 3)
    assert made.images.dtype == np.uint8
    assert made.images[:, 0, 0, :2].tolist() == [[prompt, seed] for prompt in range(3) for seed in range(3)]
    assert made.evaluations == 2


def test_progress_is_told_batch_by_batch(drawn: Drawn):
    told: list[int] = []
    run(batch_size=5, progress=told.append)
    assert told == [5, 4]


@pytest.mark.parametrize(
    "options",
    [{"prompts": []}, {"seeds": ()}, {"prompts": [SuitePrompt("nothing", "none", ())]}, {"batch_size": 0}],
)
def test_nothing_to_make_or_to_judge_is_refused(drawn: Drawn, options: dict[str, Any]):
    with refuses(next(iter(options))):
        run(**options)
    assert drawn.batches == []
