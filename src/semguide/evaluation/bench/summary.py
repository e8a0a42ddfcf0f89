"""summary.json: means over prompts with bootstrap intervals, and every method against the first, prompt by prompt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from semguide.evaluation.bench.row_metrics import compare_metrics, summarise_metrics
from semguide.evaluation.bench.scores import Scores, by_prompt, estimate, paired
from semguide.evaluation.rows import Row


def summarise(suite: str, model: str, methods: Sequence[str], rows: Sequence[Row]) -> dict[str, Any]:
    """Sum up the rows of a benchmark.

    Args:
        suite: Name of the suite.
        model: Name of the model.
        methods: Names of the methods; the others are compared with the first.
        rows: One row an image.

    Returns:
        The content of summary.json. Shares of images and concepts that are right are None where nothing was judged;
        "metrics" holds what was measured besides.
    """
    by_method = {name: [row for row in rows if row["method"] == name] for name in methods}
    first, *others = methods
    return {
        "suite": suite,
        "model": model,
        "methods": {name: _method(of_method) for name, of_method in by_method.items()},
        "paired": {
            f"{name}-{first}": {
                **paired(all_concepts(by_method[name]), all_concepts(by_method[first])),
                "metrics": compare_metrics(by_method[name], by_method[first]),
            }
            for name in others
        },
    }


def _method(rows: Sequence[Row]) -> dict[str, Any]:
    return {
        "all_concepts": estimate(all_concepts(rows)),
        "per_concept": estimate(per_concept(rows)),
        "evaluations_per_image": _mean([row["evaluations"] for row in rows]),
        "seconds_per_image": _mean([row["seconds"] for row in rows]),
        "images": len(rows),
        "metrics": summarise_metrics(rows),
    }


def all_concepts(rows: Sequence[Row]) -> Scores:
    """Return the share of a prompt's images in which everything is right, by prompt; prompts not judged left out."""
    return by_prompt([(row["prompt"], float(row["all_concepts"])) for row in rows if row["verdicts"] is not None])


def per_concept(rows: Sequence[Row]) -> Scores:
    """Return the share of a prompt's concepts that are right, mean over its images, by prompt."""
    judged = [row for row in rows if row["verdicts"] is not None]
    return by_prompt([(row["prompt"], _share(row["verdicts"])) for row in judged])


def _share(verdicts: Sequence[bool]) -> float:
    return sum(verdicts) / len(verdicts)


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
