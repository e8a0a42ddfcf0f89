"""One call of a steered pipeline: what all ways to steer it share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from semguide.adapters.pipelines.denoiser_call import DenoiserCall
from semguide.adapters.pipelines.evaluator import Evaluator, ImagePlan
from semguide.adapters.pipelines.families.spec import PipelineSpec
from semguide.adapters.pipelines.guidance_scale import scale_at
from semguide.adapters.pipelines.patching import Forward
from semguide.adapters.pipelines.step_counter import StepCounter
from semguide.adapters.recorder import Recorder
from semguide.errors import GuidanceNotApplied
from semguide.guidance import Correction, Predictions, Rule, Step, Trace
from semguide.guidance.geometry import upcast_half

Observer = Callable[[int, int, Correction], None]
"""Told of every correction while a pipeline runs: image, step, correction."""


class Watcher(Protocol):
    """Shown what the denoiser predicts at every step, whatever the rule makes of it."""

    def needs_concepts(self, step: int, count: int) -> bool:
        """Say whether the concepts are to be evaluated at a step (0-based) of `count`, also where no rule uses them."""
        ...

    def see(self, image: int, step: Step, predictions: Predictions) -> None:
        """Take the predictions for an image, after the step's last; no concepts where they were not evaluated.

        What it raises ends the pipeline's call.
        """
        ...


class SteeringSession:
    """Steers one pipeline call.

    Args:
        pipe: The pipeline.
        architecture: Its row of the table.
        rule: The rule.
        images: What to look at for each image.
        scales: From `scale_arguments`; empty where the guidance scale is an input of the denoiser, so that w is 1.
        full_trace: Whether to evaluate concepts that the rule does not use.
        batch_invariant: Whether each image is evaluated in calls of its own.
        observer: Told of every correction.
    """

    def __init__(
        self,
        pipe: Any,
        architecture: PipelineSpec,
        rule: Rule[Any],
        images: Sequence[ImagePlan],
        *,
        scales: Mapping[str, float],
        full_trace: bool,
        batch_invariant: bool,
        observer: Observer | None = None,
    ) -> None:
        self.pipe = pipe
        self.architecture = architecture
        self.images = images
        self.clock = StepCounter(pipe)
        self.evaluations = [0] * len(images)
        self.active = not rule.is_noop or full_trace
        apart = batch_invariant and not rule.is_noop and len(images) > 1
        self.evaluator = Evaluator(images, architecture.rows, apart=apart, one_call=not batch_invariant)
        self._rule = rule
        self._scales = scales
        self._full_trace = full_trace
        self._observer = observer
        self._watcher: Watcher | None = None
        self._recorder = Recorder([image.concepts for image in images])
        self._states = [rule.initial_state(len(image.concepts)) for image in images]

    def watch(self, watcher: Watcher) -> None:
        """Show a watcher the predictions of every step, and evaluate the concepts where it needs them."""
        self.active = True
        self._watcher = watcher

    def count(self, number: int) -> None:
        """Count denoiser evaluations of each image."""
        self.evaluations = [count + number for count in self.evaluations]

    def trace(self) -> Trace:
        """Return the trace."""
        return self._recorder.trace(self._rule.name, self.clock.count)

    def call_of(self, args: tuple[Any, ...], kwargs: dict[str, Any], branches: Sequence[int]) -> DenoiserCall | None:
        """Return a call of the denoiser, None for one beside the guidance.

        Args:
            args: Given by position.
            kwargs: Given by name.
            branches: How many rows an image may have in it.

        Raises:
            GuidanceNotApplied: It has another number of rows.
        """
        call = DenoiserCall(self.architecture.positional, self.architecture.rows, args, kwargs)
        if any(call.argument(name) is not None for name in self.architecture.extra):
            self.count(1)
            return None
        if call.total not in [len(self.images) * number for number in branches]:
            raise GuidanceNotApplied(
                f"the denoiser of {type(self.pipe).__name__} got {call.total} rows for {len(self.images)} images at "
                f"step {self.clock.taken + 1}; only calls with {' or '.join(map(str, branches))} rows per image can be "
                "steered"
            )
        return call

    def concepts(self, forward: Forward, call: DenoiserCall, step: int) -> Mapping[int, Tensor]:
        """Return what `Evaluator.concepts` does for the images that need it at a step."""
        count, watcher = self.clock.count, self._watcher
        looked = self._full_trace or (watcher is not None and watcher.needs_concepts(step, count))
        numbers = [len(image.concepts) for image in self.images]
        wanted = [i for i, k in enumerate(numbers) if k and (looked or self._rule.evaluates(step, count, k))]
        found = self.evaluator.concepts(forward, call, wanted)
        for i, predictions in found.items():
            self.evaluations[i] += len(predictions)
        return found

    def place(self, step: int, denoiser: int, device: torch.device) -> Step:
        """Return where in the trajectory the predictions of a denoiser are.

        Raises:
            GuidanceNotApplied: The pipeline has no such step.
        """
        if step >= self.clock.count:
            raise GuidanceNotApplied(
                f"{type(self.pipe).__name__} called its denoiser at step {step + 1} of {self.clock.count}; it can be "
                "steered only where it predicts once a step"
            )
        scale = scale_at(self.architecture.scale, self.pipe, self._scales, denoiser) if self._scales else 1.0
        return Step(step, self.clock.count, scale, self.architecture.sign * self.clock.eps_scale(step, device))

    def delta(self, image: int, place: Step, uncond: Tensor, cond: Tensor, concepts: Tensor) -> Tensor:
        """Return the correction of one image, in float32 or better; a learned variance is not corrected."""
        predictions = self._predictions(uncond, cond, concepts)
        correction, self._states[image] = self._rule.correct(predictions, place, self._states[image])
        self._recorder.add(image, place.index, correction)
        if self._observer is not None:
            self._observer(image, place.index, correction)
        delta = upcast_half(correction.delta)
        if self.architecture.frames_first:
            delta = delta.transpose(0, 1)
        return delta if len(delta) == len(uncond) else torch.cat([delta, torch.zeros_like(delta)])

    def see(self, image: int, place: Step, uncond: Tensor, cond: Tensor, concepts: Tensor | None) -> None:
        """Show the watcher, if there is one, what was predicted for an image."""
        if self._watcher is not None:
            found = cond.new_empty((0, *cond.shape)) if concepts is None else concepts
            self._watcher.see(image, place, self._predictions(uncond, cond, found))

    def _predictions(self, uncond: Tensor, cond: Tensor, concepts: Tensor) -> Predictions:
        size = len(uncond) // 2 if self._learned_sigma(uncond) else len(uncond)
        parts = (uncond[:size], cond[:size], concepts[:, :size])
        if self.architecture.frames_first:
            parts = tuple(part.transpose(-4, -3) for part in parts)
        return Predictions(*(part.contiguous() for part in parts))  # sums depend on the layout in the last bit

    def _learned_sigma(self, prediction: Tensor) -> bool:
        if not self.architecture.learned_sigma:
            return False
        config = getattr(self.pipe, self.architecture.denoisers[0]).config
        return len(prediction) == 2 * config.in_channels
