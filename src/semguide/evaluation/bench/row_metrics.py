"""What summary.json says of similarity, answers, diversity and image quality."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from semguide.evaluation.bench.scores import Scores, by_prompt, estimate, paired
from semguide.evaluation.metrics.features import diversity, frechet_distance, unpack
from semguide.evaluation.rows import Row

DISTANCE = "rendered_distance"
"""The one metric that is a number of a whole set of images, not a mean over prompts."""


def confidence(rows: Sequence[Row]) -> Scores:
    """Return the judge's mean confidence in what it finds in an image, 0 where it finds nothing, by prompt."""
    judged = [row for row in rows if row["verdicts"] is not None]
    return by_prompt([(row["prompt"], _mean_confidence(row["findings"])) for row in judged])


def _mean_confidence(findings: Sequence[dict[str, Any]]) -> float:
    return sum(finding["confidence"] for finding in findings) / len(findings) if findings else 0.0


def seed_diversity(rows: Sequence[Row]) -> Scores:
    """Return the mean of 1 - cosine between the features of a prompt's images, by prompt with two images or more."""
    features: dict[str, list[str]] = {}
    for row in rows:
        if row.get("clip_feature"):
            features.setdefault(row["prompt"], []).append(row["clip_feature"])
    return {prompt: diversity(unpack(packed)) for prompt, packed in features.items() if len(packed) > 1}


def _column(name: str) -> Callable[[Sequence[Row]], Scores]:
    return lambda rows: by_prompt([(r["prompt"], r[name]) for r in rows if r.get(name) is not None])


METRICS: dict[str, Callable[[Sequence[Row]], Scores]] = {
    "clip_similarity": _column("clip_similarity"),
    "clip_weakest": _column("clip_weakest"),
    "vqa_score": _column("vqa_score"),
    "blip_vqa": _column("blip_vqa"),
    "questions_mean": _column("questions_mean"),
    "questions_product": _column("questions_product"),
    "caption_similarity": _column("caption_similarity"),
    "diversity": seed_diversity,
    "judge_confidence": confidence,
}
"""Metric -> scores by prompt; more is better, but for diversity, which is only not to fall."""


def rendered_distance(rows: Sequence[Row]) -> float | None:
    """Return the Fréchet distance of the images' features to those of rendered scenes, one for each image.

    None below two images for which a scene was rendered.
    """
    both = [row for row in rows if row.get("clip_feature") and row.get("rendered_feature")]
    if len(both) < 2:
        return None
    made, drawn = (unpack([row[name] for row in both]) for name in ("clip_feature", "rendered_feature"))
    return frechet_distance(made, drawn)


def summarise_metrics(rows: Sequence[Row]) -> dict[str, Any]:
    """Sum up the metrics of one method's rows; those that were not measured are left out."""
    found = {name: score(rows) for name, score in METRICS.items()}
    means: dict[str, Any] = {name: estimate(scores) for name, scores in found.items() if scores}
    distance = rendered_distance(rows)
    return means if distance is None else {**means, DISTANCE: distance}


def compare_metrics(rows: Sequence[Row], reference: Sequence[Row]) -> dict[str, Any]:
    """Compare two methods metric by metric, prompt by prompt; of the distance there is only the difference."""
    both = {name: (score(rows), score(reference)) for name, score in METRICS.items()}
    pairs: dict[str, Any] = {name: paired(*scores) for name, scores in both.items() if all(scores)}
    here, there = rendered_distance(rows), rendered_distance(reference)
    return pairs if here is None or there is None else {**pairs, DISTANCE: {"delta": here - there}}
