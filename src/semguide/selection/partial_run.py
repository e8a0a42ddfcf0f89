"""An image of which only the first steps are made, and which can be finished.

A pipeline cannot begin in the middle: its scheduler, its noise source and a rule's state are those of the steps
before. So the call is made again from the start, with the denoiser's outputs of the first steps replayed. It is the
same call to the last bit, and only the steps that follow cost evaluations.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor

from semguide.adapters.pipelines.denoiser_call import DenoiserCall
from semguide.adapters.pipelines.families.registry import spec_of
from semguide.adapters.pipelines.families.spec import PipelineSpec
from semguide.adapters.pipelines.patches import note_replayed
from semguide.adapters.pipelines.patching import Forward, replaced_forward
from semguide.adapters.pipelines.steer import Result, SteeredPipeline
from semguide.errors import GuidanceNotApplied, NotFinite
from semguide.guidance import Predictions, Step
from semguide.guidance.signal_score import first_steps
from semguide.selection.criteria import Criterion, looks_at, value_at


class _FirstStepsDone(Exception):
    """Ends a pipeline call."""


class _CriterionWatcher:
    """Takes down what a criterion says of the first steps, and ends the call after them if it is to."""

    def __init__(self, criterion: Criterion, ends: bool) -> None:
        self.values: list[Tensor] = []
        self._criterion = criterion
        self._ends = ends

    def needs_concepts(self, step: int, count: int) -> bool:
        return looks_at(self._criterion, step, count)

    def on_predictions(self, image: int, step: Step, predictions: Predictions) -> None:
        del image
        value = value_at(self._criterion, step, predictions)
        if value is not None:
            self.values.append(value)
        if self._ends and step.index + 1 >= first_steps(self._criterion.stop, step.count):
            raise _FirstStepsDone


class DenoiserReplay:
    """Records the denoiser outputs of one pipeline call, and returns them once, in the next.

    Args:
        spec: The spec of the pipeline's family.

    Attributes:
        evaluations: Rows that the denoiser really evaluated, in both calls.
    """

    def __init__(self, spec: PipelineSpec) -> None:
        self.evaluations = 0
        self._spec = spec
        self._outputs: deque[Any] = deque()

    @contextmanager
    def recording(self, pipe: Any) -> Iterator[None]:
        """Keep what the denoiser returns, while the context lasts."""
        with self._installed(pipe, lambda output: self._outputs.append(_copy(output))):
            yield

    @contextmanager
    def replaying(self, pipe: Any) -> Iterator[None]:
        """Return what was kept, in its order, and evaluate from where it ends, while the context lasts."""
        with self._installed(pipe, lambda output: None, replay=True):
            yield

    @contextmanager
    def _installed(self, pipe: Any, keep: Any, replay: bool = False) -> Iterator[None]:
        def wrap(forward: Forward) -> Forward:
            def replayed(*args: Any, **kwargs: Any) -> Any:
                if replay and self._outputs:
                    note_replayed()
                    return self._outputs.popleft()
                output = forward(*args, **kwargs)
                self.evaluations += DenoiserCall(self._spec.positional, self._spec.rows, args, kwargs).total
                keep(output)
                return output

            return replayed

        with ExitStack() as stack:
            for name in self._spec.denoisers:
                denoiser = getattr(pipe, name, None)
                if denoiser is not None:
                    stack.enter_context(replaced_forward(denoiser, wrap))
            yield


def _copy(output: Any) -> Any:
    """Copy the tensors of an output: what takes it may change them in place."""
    if isinstance(output, Tensor):
        return output.clone()
    if isinstance(output, dict):  # diffusers' output objects, too
        return type(output)(**{key: _copy(value) for key, value in output.items()})
    if isinstance(output, list | tuple):
        return type(output)(_copy(item) for item in output)
    return output


class PartialRun:
    """The first steps of one image, made when this is made.

    Args:
        steered: The pipeline.
        prompt: One prompt.
        seed: Of the image's CPU generator.
        criterion: What scores the first steps, and says how many they are.
        arguments: Of the pipeline's call; one image.

    Attributes:
        steered: The pipeline.
        seed: The seed.
        values: What the criterion said of each step.
        score: Its score.
        seconds: Wall-clock time of the first steps.

    Raises:
        GuidanceNotApplied: The pipeline made its image without showing its predictions.
        NotFinite: The score is no number.
    """

    def __init__(
        self, steered: SteeredPipeline, prompt: str, seed: int, criterion: Criterion, arguments: Mapping[str, Any]
    ) -> None:
        self.seed = seed
        self.steered, self._prompt, self._criterion, self._arguments = steered, prompt, criterion, arguments
        self._replay = DenoiserReplay(spec_of(steered.pipe))
        watcher, begun = _CriterionWatcher(criterion, ends=True), time.perf_counter()
        try:
            with self._replay.recording(steered.pipe):
                self._call(watcher)
        except _FirstStepsDone:
            self.values = watcher.values
        else:
            raise GuidanceNotApplied(
                f"{type(steered.pipe).__name__} made its image without a step that could be scored, so no seed can be "
                "dropped early; it has no guidance beside the denoiser, or the image has no concepts"
            )
        self.score = criterion.score(self.values)
        if math.isnan(self.score):
            raise NotFinite(
                f"the first steps of seed {seed} have a score that is no number, most likely because of an overflow in "
                "half precision; load the model in bfloat16 or float32"
            )
        self.seconds = time.perf_counter() - begun

    @property
    def evaluations(self) -> int:
        """Denoiser evaluations that were really made, so far."""
        return self._replay.evaluations

    def finish(self, **hooks: Any) -> Result:
        """Make the remaining steps: the result is that of the seed alone, to the last bit.

        Args:
            **hooks: Arguments of the pipeline's call that look on and change nothing.
        """
        with self._replay.replaying(self.steered.pipe):
            return self._call(_CriterionWatcher(self._criterion, ends=False), **hooks)

    def _call(self, watcher: _CriterionWatcher, **hooks: Any) -> Result:
        generator = torch.Generator("cpu").manual_seed(self.seed)
        return self.steered(self._prompt, generator=generator, watcher=watcher, **self._arguments, **hooks)
