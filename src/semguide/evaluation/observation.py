"""The key observation: do the signals of the early steps of plain guidance tell which concepts will be missing?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from semguide.evaluation.calibration import Values, logistic
from semguide.evaluation.image_batches import ImageBatch, generate_batches
from semguide.evaluation.suites import SuitePrompt
from semguide.guidance import CFG, Correction, Predictions, Step
from semguide.guidance.detector import Detector
from semguide.guidance.rule import no_correction
from semguide.guidance.signals import SIGNALS


@dataclass(frozen=True)
class Observations:
    """Every concept of every image, with what became of it.

    Attributes:
        signals: Signal name -> (concepts, steps).
        right: (concepts,) whether the judge found it right.
        prompt: (concepts,) index of its prompt.
        image: (concepts,) index of its image.
    """

    signals: Mapping[str, Values]
    right: NDArray[np.bool_]
    prompt: NDArray[np.int64]
    image: NDArray[np.int64]

    def early(self, name: str, stop: float = 1 / 3, start: float = 0.0) -> Values:
        """Return the mean of a signal over the steps from `start` to `stop`, fractions of all: (concepts,)."""
        values = self.signals[name]
        steps = values.shape[1]
        return values[:, round(start * steps) : max(1, round(stop * steps))].mean(axis=1)


@dataclass(frozen=True)
class _SignalRecorder(CFG):
    """Plain guidance that keeps the signals of every image, in the images' order."""

    images: list[list[Tensor]] = field(default_factory=list[list[Tensor]], init=False)

    name: ClassVar[str] = "watch"

    def initial_state(self, num_concepts: int) -> Any:
        """Start the record of an image."""
        del num_concepts
        self.images.append([])
        return self.images[-1]

    def correct(self, predictions: Predictions, step: Step, state: Any) -> tuple[Correction, Any]:
        """Record the signals, (signal, concept), and correct nothing."""
        state.append(torch.stack([signal(predictions, step) for signal in SIGNALS.values()]))
        return no_correction(predictions, predictions.similarity), state


@dataclass(frozen=True)
class ObservedImages:
    """Images under plain guidance, not judged yet.

    Attributes:
        pictures: The images.
        signals: Signal name -> (concepts, steps), image by image.
    """

    pictures: ImageBatch
    signals: Mapping[str, Values]


def record_signals(
    pipe: Any,
    prompts: Sequence[SuitePrompt],
    seeds: Sequence[int],
    *,
    guidance_scale: float,
    num_inference_steps: int,
    progress: Callable[[int], None] | None = None,
) -> ObservedImages:
    """Make images under plain guidance with all signals recorded.

    Args:
        pipe: A pipeline of the emoji world.
        prompts: What to make.
        seeds: One image per seed and prompt.
        guidance_scale: Of the guidance, > 1.
        num_inference_steps: Steps, >= 1.
        progress: Told how many images a batch finished.
    """
    rule = _SignalRecorder(guidance_scale)
    pictures = generate_batches(
        pipe, rule, prompts, seeds, num_inference_steps=num_inference_steps, full_trace=True, progress=progress
    )
    tables = [torch.stack(record, dim=-1).cpu().double().numpy() for record in rule.images]  # (signal, concept, step)
    joined: Values = np.concatenate(tables, axis=1)
    return ObservedImages(pictures, {name: joined[index] for index, name in enumerate(SIGNALS)})


def observed(watched: ObservedImages, found: Sequence[Sequence[bool]], prompts: Sequence[SuitePrompt]) -> Observations:
    """Join what was watched with what became of it.

    Args:
        watched: The images and their signals.
        found: Of each image which of its concepts are right.
        prompts: The prompts; each has equally many images.
    """
    sizes = [len(verdict) for verdict in found]
    image = np.repeat(np.arange(len(sizes)), sizes)
    right = np.array([ok for verdict in found for ok in verdict], dtype=bool)
    return Observations(watched.signals, right, image // (len(found) // len(prompts)), image)


def auroc(score: Values, right: NDArray[np.bool_]) -> float:
    """Return the probability that a right concept scores above a wrong one, ties counted half; NaN without both."""
    order = np.argsort(score, kind="stable")
    values, first, counts = np.unique(score[order], return_index=True, return_counts=True)
    del values
    ranks = np.empty(len(score))
    ranks[order] = np.repeat(first + (counts + 1) / 2, counts)
    positive = int(right.sum())
    negative = len(right) - positive
    if not positive or not negative:
        return float("nan")
    return float((ranks[right].sum() - positive * (positive + 1) / 2) / (positive * negative))


def auroc_interval(
    score: Values, observed: Observations, resamples: int = 1000, seed: int = 0
) -> tuple[float, float, float]:
    """Return AUROC and its 95 % interval, prompts drawn with replacement."""
    rng = np.random.default_rng(seed)
    of_prompt = [np.flatnonzero(observed.prompt == index).tolist() for index in np.unique(observed.prompt)]
    found: list[float] = []
    for _ in range(resamples):
        chosen = rng.integers(len(of_prompt), size=len(of_prompt))
        drawn = [place for index in chosen for place in of_prompt[index]]
        found.append(auroc(score[drawn], observed.right[drawn]))
    low, high = np.nanquantile(found, [0.025, 0.975])
    return auroc(score, observed.right), float(low), float(high)


def fit_detector(observed: Observations) -> Detector:
    """Fit the detector's three numbers by logistic regression.

    Args:
        observed: Concepts with what became of them, from validation prompts.

    Raises:
        InvalidArgument: All concepts are right, or all are wrong.
    """
    features = np.stack(_detector_features(observed, Detector().stop), axis=1)
    intercept, cosine, relative = logistic(features, observed.right).tolist()
    return Detector(intercept, cosine, relative)


def probabilities(detector: Detector, observed: Observations) -> Values:
    """Return the detector's probability of every observed concept: (concepts,)."""
    return detector.chance(*_detector_features(observed, detector.stop))


def _detector_features(observed: Observations, stop: float) -> tuple[Values, Values]:
    return observed.early("signed_cosine", stop), observed.early("relative_cosine", stop)
