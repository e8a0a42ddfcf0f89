"""An image of which only the first steps are made, and which can be finished."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from semguide.adapters.pipelines.families.registry import architecture_of
from semguide.adapters.pipelines.steer import Result, SteeredPipeline
from semguide.errors import GuidanceNotApplied
from semguide.guidance import Predictions, Step
from semguide.selection.criteria import Criterion, first_steps
from semguide.selection.denoiser_replay import DenoiserReplay


class _FirstStepsDone(Exception):
    """Ends a pipeline call."""


class _Watch:
    """Takes down what a criterion says of the first steps, and ends the call after them if it is to."""

    def __init__(self, criterion: Criterion, ends: bool) -> None:
        self.values: list[Tensor] = []
        self._criterion = criterion
        self._ends = ends

    def needs_concepts(self, step: int, count: int) -> bool:
        return step < first_steps(self._criterion.stop, count) and self._criterion.needs_concepts(step, count)

    def see(self, image: int, step: Step, predictions: Predictions) -> None:
        del image
        last = first_steps(self._criterion.stop, step.count) - 1
        value = self._criterion.value(step, predictions) if step.index <= last else None
        if value is not None:
            self.values.append(value)
        if self._ends and step.index >= last:
            raise _FirstStepsDone


class PartialRun:
    """The first steps of one image, made when this is made.

    Args:
        steered: The pipeline.
        prompt: One prompt.
        seed: Of the image's CPU generator.
        criterion: What scores the first steps, and says how many they are.
        arguments: Of the pipeline's call; one image.

    Attributes:
        seed: The seed.
        values: What the criterion said of each step.
        score: Its score.
        seconds: Wall-clock time of the first steps.

    Raises:
        GuidanceNotApplied: The pipeline made its image without showing its predictions.
    """

    def __init__(
        self, steered: SteeredPipeline, prompt: str, seed: int, criterion: Criterion, arguments: Mapping[str, Any]
    ) -> None:
        self.seed = seed
        self._steered, self._prompt, self._criterion, self._arguments = steered, prompt, criterion, arguments
        self._tape = DenoiserReplay(architecture_of(steered.pipe))
        watch, begun = _Watch(criterion, ends=True), time.perf_counter()
        try:
            with self._tape.recording(steered.pipe):
                self._call(watch)
        except _FirstStepsDone:
            self.values = watch.values
        else:
            raise GuidanceNotApplied(
                f"{type(steered.pipe).__name__} made its image without a step that could be scored, so no seed can be "
                "dropped early; its guidance is embedded in the denoiser, or the image has no concepts"
            )
        self.score = criterion.score(self.values)
        self.seconds = time.perf_counter() - begun

    @property
    def evaluations(self) -> int:
        """Denoiser evaluations that were really made, so far."""
        return self._tape.evaluations

    def finish(self, **hooks: Any) -> Result:
        """Make the remaining steps: the result is that of the seed alone, to the last bit.

        Args:
            **hooks: Arguments of the pipeline's call that look on and change nothing.
        """
        with self._tape.replaying(self._steered.pipe):
            return self._call(_Watch(self._criterion, ends=False), **hooks)

    def _call(self, watch: _Watch, **hooks: Any) -> Result:
        generator = torch.Generator("cpu").manual_seed(self.seed)
        return self._steered(self._prompt, generator=generator, watcher=watch, **self._arguments, **hooks)
