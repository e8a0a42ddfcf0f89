"""summary.json: means over prompts with bootstrap intervals, and every method against the first, prompt by prompt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semguide.evaluation.bench.files import Row
from semguide.evaluation.statistics import bootstrap

Scores = dict[str, float]
"""Prompt -> mean over its seeds."""


def summarise(suite: str, model: str, methods: Sequence[str], rows: Sequence[Row]) -> dict[str, Any]:
    """Sum up the rows of a benchmark.

    Args:
        suite: Name of the suite.
        model: Name of the model.
        methods: Names of the methods; the others are compared with the first.
        rows: One row an image.

    Returns:
        The content of summary.json. Shares of images and concepts that are right are None where nothing was judged.
    """
    by_method = {name: [row for row in rows if row["method"] == name] for name in methods}
    first, *others = methods
    return {
        "suite": suite,
        "model": model,
        "methods": {name: _method(of_method) for name, of_method in by_method.items()},
        "paired": {
            f"{name}-{first}": paired(all_concepts(by_method[name]), all_concepts(by_method[first])) for name in others
        },
    }


def _method(rows: Sequence[Row]) -> dict[str, Any]:
    return {
        "all_concepts": estimate(all_concepts(rows)),
        "per_concept": estimate(per_concept(rows)),
        "evaluations_per_image": _mean([row["evaluations"] for row in rows]),
        "seconds_per_image": _mean([row["seconds"] for row in rows]),
        "images": len(rows),
    }


def all_concepts(rows: Sequence[Row]) -> Scores:
    """Return the share of a prompt's images in which everything is right, by prompt; prompts not judged left out."""
    return _by_prompt([(row["prompt"], float(row["all_concepts"])) for row in rows if row["verdicts"] is not None])


def per_concept(rows: Sequence[Row]) -> Scores:
    """Return the share of a prompt's concepts that are right, mean over its images, by prompt."""
    judged = [row for row in rows if row["verdicts"] is not None]
    return _by_prompt([(row["prompt"], _share(row["verdicts"])) for row in judged])


def estimate(scores: Scores) -> dict[str, Any]:
    """Return mean and 95 % interval over prompts."""
    if not scores:
        return {"mean": None, "ci95": None}
    found = bootstrap(list(scores.values()))
    return {"mean": found.mean, "ci95": [found.low, found.high]}


def paired(scores: Scores, reference: Scores) -> dict[str, Any]:
    """Compare two methods on the prompts that both have.

    Returns:
        Mean difference, its 95 % bootstrap interval, and a two-sided bootstrap p-value for no difference.
    """
    common = [prompt for prompt in scores if prompt in reference]
    if not common:
        return {"delta": None, "ci95": None, "p": None}
    differences = np.array([scores[prompt] - reference[prompt] for prompt in common])
    found = bootstrap(differences)
    return {"delta": found.mean, "ci95": [found.low, found.high], "p": p_value(differences)}


def p_value(differences: NDArray[np.float64], resamples: int = 10_000, seed: int = 0) -> float:
    """Bootstrap test of a mean of zero (Efron and Tibshirani 1993, 16.4): the differences are shifted to mean zero.

    Args:
        differences: (prompts,) at least one.
        resamples: How often prompts are drawn with replacement; the least p-value is 1 / (resamples + 1).
        seed: Of the draws.

    Returns:
        The share of resamples whose mean is as far from zero as the observed one.
    """
    rng = np.random.default_rng(seed)
    centred = differences - differences.mean()
    observed = abs(float(differences.mean()))
    extreme = sum(
        abs(float(centred[rng.integers(centred.size, size=centred.size)].mean())) >= observed - 1e-12
        for _ in range(resamples)
    )
    return (extreme + 1) / (resamples + 1)


def _share(verdicts: Sequence[bool]) -> float:
    return sum(verdicts) / len(verdicts)


def _by_prompt(values: Sequence[tuple[str, float]]) -> Scores:
    collected: dict[str, list[float]] = {}
    for prompt, value in values:
        collected.setdefault(prompt, []).append(value)
    return {prompt: float(np.mean(found)) for prompt, found in collected.items()}


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def by_category(methods: Sequence[str], rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
    """Return category -> method -> estimate of the share of images with everything right."""
    return {
        category: {
            name: estimate(all_concepts([r for r in rows if r["method"] == name and r["category"] == category]))
            for name in methods
        }
        for category in dict.fromkeys(row["category"] for row in rows)
    }
