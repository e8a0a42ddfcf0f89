"""The key observation: do the signals of the early steps tell which concepts will be missing?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from semguide.evaluation.calibration import Values, logistic
from semguide.evaluation.image_batches import ImageBatch, generate_batches
from semguide.evaluation.suites import SuitePrompt
from semguide.guidance import Predictions, Rule, Step
from semguide.guidance.detector import Detector
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


class _SignalRecorder:
    """Keeps the signals of every image, batch after batch, whatever the rule makes of the predictions.

    Attributes:
        begun: Images of the batches before the present one.
    """

    def __init__(self) -> None:
        self.begun = 0
        self._records: dict[int, list[Tensor]] = {}

    def needs_concepts(self, step: int, count: int) -> bool:
        """Ask for the concepts at every step."""
        del step, count
        return True

    def on_predictions(self, image: int, step: Step, predictions: Predictions) -> None:
        """Record the signals of a step, (signal, concept)."""
        signals = torch.stack([signal(predictions, step) for signal in SIGNALS.values()])
        self._records.setdefault(self.begun + image, []).append(signals)

    def table(self) -> Values:
        """Return all of them: (signal, concept, step), image by image."""
        images = [torch.stack(self._records[image], dim=-1) for image in sorted(self._records)]
        return torch.cat(images, dim=1).cpu().double().numpy()


@dataclass(frozen=True)
class ObservedImages:
    """Images under a rule, not judged yet.

    Attributes:
        pictures: The images.
        signals: Signal name -> (concepts, steps), image by image.
    """

    pictures: ImageBatch
    signals: Mapping[str, Values]


def record_signals(
    pipe: Any,
    rule: Rule[Any],
    prompts: Sequence[SuitePrompt],
    seeds: Sequence[int],
    *,
    num_inference_steps: int,
    progress: Callable[[int], None] | None = None,
) -> ObservedImages:
    """Make images under a rule with all signals recorded.

    Args:
        pipe: A pipeline of the emoji world.
        rule: The rule, guidance scale included.
        prompts: What to make.
        seeds: One image per seed and prompt.
        num_inference_steps: Steps, >= 1.
        progress: Told how many images a batch finished.
    """
    recorder = _SignalRecorder()

    def finished(count: int) -> None:
        recorder.begun += count
        if progress is not None:
            progress(count)

    pictures = generate_batches(
        pipe, rule, prompts, seeds, num_inference_steps=num_inference_steps, watcher=recorder, progress=finished
    )
    return ObservedImages(pictures, dict(zip(SIGNALS, recorder.table(), strict=True)))


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
