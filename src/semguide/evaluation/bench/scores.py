"""Scores by prompt: their mean, their interval, and how two methods compare."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semguide.evaluation.statistics import bootstrap

Scores = dict[str, float]
"""Prompt -> mean over its seeds."""


def by_prompt(values: Sequence[tuple[str, float]]) -> Scores:
    """Return the mean of the values of each prompt."""
    collected: dict[str, list[float]] = {}
    for prompt, value in values:
        collected.setdefault(prompt, []).append(value)
    return {prompt: float(np.mean(found)) for prompt, found in collected.items()}


def estimate(scores: Scores) -> dict[str, Any]:
    """Return mean and 95 % interval over prompts."""
    if not scores:
        return {"mean": None, "ci95": None}
    found = bootstrap(list(scores.values()))
    return {"mean": found.mean, "ci95": [found.low, found.high]}


def paired(scores: Scores, reference: Scores) -> dict[str, Any]:
    """Compare two methods on the prompts that both have.

    Returns:
        Mean difference, its 95 % bootstrap interval, and a two-sided p-value for no difference.
    """
    common = [prompt for prompt in scores if prompt in reference]
    if not common:
        return {"delta": None, "ci95": None, "p": None}
    differences = np.array([scores[prompt] - reference[prompt] for prompt in common])
    found = bootstrap(differences)
    return {"delta": found.mean, "ci95": [found.low, found.high], "p": p_value(differences)}


def p_value(differences: NDArray[np.float64], resamples: int = 10_000, seed: int = 0) -> float:
    """Paired permutation test of a mean of zero (Efron and Tibshirani 1993, chapter 15): signs are as good as chance.

    Unlike a bootstrap test it holds for a handful of prompts, too, where it cannot be small: n prompts of equal
    differences have 2^(1 - n).

    Args:
        differences: (prompts,) at least one.
        resamples: How often signs are drawn; the least p-value is 1 / (resamples + 1).
        seed: Of the draws.

    Returns:
        The share of draws whose mean is as far from zero as the observed one.
    """
    rng = np.random.default_rng(seed)
    observed = abs(float(differences.sum())) - 1e-9
    extreme = 0
    for first in range(0, resamples, 1000):
        signs = 2.0 * rng.integers(2, size=(min(1000, resamples - first), differences.size)) - 1.0
        extreme += int((np.abs(signs @ differences) >= observed).sum())
    return (extreme + 1) / (resamples + 1)
