from typing import Any

import numpy as np
import pytest
import torch

from semguide.errors import InvalidArgument
from semguide.evaluation import compare
from semguide.evaluation.compare import Outcome, measure
from semguide.evaluation.judge import Finding
from semguide.evaluation.suites import SuitePrompt, suite
from semguide.guidance import CFG
from semguide.models.judge import Judge, JudgeConfig

PROMPTS = suite("emoji-ae")[:3]
JUDGE = Judge(JudgeConfig(width=8)).eval()


class Drawn:
    """A steered pipeline whose pictures hold prompt and seed as numbers, so that a fake judge can read them."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def __call__(self, prompts: list[str], *, generator: list[torch.Generator], **_: Any) -> Any:
        self.batches.append(len(prompts))
        known = [prompt.text for prompt in PROMPTS]
        numbers = [[known.index(p), g.initial_seed(), 0] for p, g in zip(prompts, generator, strict=True)]
        images = (torch.tensor(numbers).float()[..., None, None] + 1) / 2
        return type("Result", (), {"images": images, "evaluations": [2] * len(prompts)})()


def read(judge: Judge, pictures: torch.Tensor) -> list[list[Finding]]:
    """With an even seed everything asked for, with an odd one the first concept only."""
    found: list[list[Finding]] = []
    for prompt, seed in pictures[:, :2, 0, 0].round().int().tolist():
        concepts = PROMPTS[prompt].concepts[: 2 - seed % 2]
        found.append([Finding(c.head, next(iter(c.attributes), "red"), False, 0, 0, 1, 1) for c in concepts])
    return found


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Drawn:
    pipeline = Drawn()
    monkeypatch.setattr(compare, "steer", lambda pipe, rule, batch_invariant: pipeline)
    monkeypatch.setattr(compare, "find", read)
    return pipeline


def run(prompts: list[SuitePrompt] = PROMPTS, seeds: tuple[int, ...] = (0, 1, 2), **options: Any) -> Outcome:
    return measure(None, JUDGE, CFG(5.0), prompts, seeds, num_inference_steps=2, **options)


def test_every_prompt_is_made_with_every_seed_and_judged(drawn: Drawn):
    outcome = run(batch_size=4)
    assert drawn.batches == [4, 4, 1]
    np.testing.assert_array_equal(outcome.all_right, [[True, False, True]] * 3)
    np.testing.assert_array_equal(outcome.share_right, [[1.0, 0.5, 1.0]] * 3)
    assert outcome.evaluations == 2


def test_progress_is_told_batch_by_batch(drawn: Drawn):
    told: list[int] = []
    run(batch_size=5, progress=told.append)
    assert told == [5, 4]


@pytest.mark.parametrize(
    "options",
    [{"prompts": []}, {"seeds": ()}, {"prompts": [SuitePrompt("nothing", "none", ())]}, {"batch_size": 0}],
)
def test_nothing_to_make_or_to_judge_is_refused(drawn: Drawn, options: dict[str, Any]):
    with pytest.raises(InvalidArgument, match=r"must not be empty|batch_size must be >= 1"):
        run(**options)
    assert drawn.batches == []
