"""Rewards: what says in the midst of sampling how good particles are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from semguide.evaluation.clip_scorers import ImageText
from semguide.guidance import Predictions, Step, Watcher
from semguide.selection import Criterion
from semguide.selection.criteria import looks_at, value_at


class Reward(ABC):
    """Rates the particles of one image.

    Attributes:
        watcher: What is to be shown the predictions; None where the reward sees images alone.
    """

    watcher: Watcher | None = None

    @abstractmethod
    def of(self, images: Callable[[], Sequence[Any]]) -> list[float]:
        """Return the reward of each particle, the higher the better.

        Args:
            images: Makes their present images, for rewards that see them.
        """

    def copy(self, chosen: Sequence[int]) -> None:
        """Learn that each particle goes on as a copy of the one chosen for its place."""
        del chosen


class ClipReward(Reward):
    """The similarity of image and prompt by a CLIP.

    Args:
        clip: The CLIP.
        prompt: The prompt.
    """

    def __init__(self, clip: ImageText, prompt: str) -> None:
        self._clip, self._text = clip, clip.texts([prompt])[0]

    def of(self, images: Callable[[], Sequence[Any]]) -> list[float]:
        """Return the cosines."""
        return [float(self._text @ self._clip.image(image)) for image in images()]


class CriterionReward(Reward):
    """What a criterion of `best_of` and `retry` says of the predictions so far.

    Args:
        criterion: The criterion.
        particles: Number of particles.
    """

    def __init__(self, criterion: Criterion, particles: int) -> None:
        self.watcher = self
        self._criterion = criterion
        self._values: list[list[Tensor]] = [[] for _ in range(particles)]

    def of(self, images: Callable[[], Sequence[Any]]) -> list[float]:
        """Return the scores."""
        del images
        return [self._criterion.score(values) for values in self._values]

    def copy(self, chosen: Sequence[int]) -> None:
        """Give each particle the history of the one that it is a copy of."""
        self._values = [list(self._values[index]) for index in chosen]

    def needs_concepts(self, step: int, count: int) -> bool:
        """Say whether the criterion looks at the step."""
        return looks_at(self._criterion, step, count)

    def on_predictions(self, image: int, step: Step, predictions: Predictions) -> None:
        """Take down what the criterion says of a step."""
        value = value_at(self._criterion, step, predictions)
        self._values[image] += [] if value is None else [value]
