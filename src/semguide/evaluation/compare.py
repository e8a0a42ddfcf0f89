"""Rules side by side: the same prompts, seeds and steps, judged concept by concept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from semguide.adapters import steer
from semguide.errors import InvalidArgument
from semguide.evaluation.judge import find, judged
from semguide.evaluation.suites import SuitePrompt
from semguide.guidance import Rule
from semguide.models.judge import Judge


@dataclass(frozen=True)
class Outcome:
    """What one rule did.

    Attributes:
        all_right: (prompts, seeds) whether every concept of the image was right.
        share_right: (prompts, seeds) share of its concepts that were right.
        evaluations: Mean denoiser evaluations per image.
        seconds: Mean seconds per image.
    """

    all_right: NDArray[np.bool_]
    share_right: NDArray[np.float64]
    evaluations: float
    seconds: float


@dataclass(frozen=True)
class JudgedBatch:
    """Some images of one rule.

    Attributes:
        verdicts: Per image whether each of its concepts is right.
        evaluations: Denoiser evaluations of all of them.
    """

    verdicts: list[list[bool]]
    evaluations: int


def judged_batches(
    pipe: Any,
    judge: Judge,
    rule: Rule[Any],
    prompts: Sequence[SuitePrompt],
    seeds: Sequence[int],
    *,
    num_inference_steps: int,
    batch_size: int = 32,
    full_trace: bool = False,
) -> Iterator[JudgedBatch]:
    """Make every prompt with every seed under a rule, prompt by prompt, and judge the images.

    Images are made in batches with `batch_invariant=False`, each from its own generator.

    Args:
        pipe: A pipeline of the emoji world.
        judge: Its judge.
        rule: The rule, guidance scale included.
        prompts: What to make.
        seeds: One image per seed and prompt.
        num_inference_steps: Steps, >= 1.
        batch_size: Images a batch, >= 1.
        full_trace: Evaluate the concepts at every step.

    Raises:
        InvalidArgument: There is no prompt, no seed or a prompt without concepts, or the batch size is below 1.
    """
    if not prompts or not seeds or not all(prompt.concepts for prompt in prompts):
        raise InvalidArgument(
            f"prompts and seeds must not be empty, and every prompt needs a concept to judge, "
            f"got {len(prompts)} prompts and {len(seeds)} seeds"
        )
    if batch_size < 1:
        raise InvalidArgument(f"batch_size must be >= 1, got {batch_size}")
    tuned = steer(pipe, rule, batch_invariant=False)
    jobs = [(prompt, seed) for prompt in prompts for seed in seeds]
    for first in range(0, len(jobs), batch_size):
        batch = jobs[first : first + batch_size]
        result = tuned(
            [prompt.text for prompt, _ in batch],
            concepts=[list(prompt.concepts) for prompt, _ in batch],
            full_trace=full_trace,
            num_inference_steps=num_inference_steps,
            generator=[torch.Generator().manual_seed(seed) for _, seed in batch],
            output_type="pt",
        )
        found = find(judge, result.images.float() * 2 - 1)
        verdicts = [judged(f, prompt.concepts) for f, (prompt, _) in zip(found, batch, strict=True)]
        yield JudgedBatch(verdicts, sum(result.evaluations))


def measure(
    pipe: Any,
    judge: Judge,
    rule: Rule[Any],
    prompts: Sequence[SuitePrompt],
    seeds: Sequence[int],
    *,
    num_inference_steps: int,
    batch_size: int = 32,
    progress: Callable[[int], None] | None = None,
) -> Outcome:
    """Sum up what one rule does; arguments and errors as for `judged_batches`.

    Args:
        pipe: A pipeline of the emoji world.
        judge: Its judge.
        rule: The rule, guidance scale included.
        prompts: What to make.
        seeds: One image per seed and prompt.
        num_inference_steps: Steps, >= 1.
        batch_size: Images a batch, >= 1.
        progress: Told how many images a batch finished.
    """
    verdicts: list[list[bool]] = []
    evaluations = 0
    start = time.perf_counter()
    for batch in judged_batches(
        pipe, judge, rule, prompts, seeds, num_inference_steps=num_inference_steps, batch_size=batch_size
    ):
        verdicts += batch.verdicts
        evaluations += batch.evaluations
        if progress is not None:
            progress(len(batch.verdicts))
    shape = (len(prompts), len(seeds))
    return Outcome(
        np.reshape([all(verdict) for verdict in verdicts], shape),
        np.reshape([sum(verdict) / len(verdict) for verdict in verdicts], shape),
        evaluations / len(verdicts),
        (time.perf_counter() - start) / len(verdicts),
    )
