"""One call of a steered pipeline: what all ways to steer it share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from semguide.adapters.architecture import Architecture
from semguide.adapters.clock import Clock
from semguide.adapters.evaluate import Evaluator, ImagePlan
from semguide.adapters.hook import Forward
from semguide.adapters.recorder import Recorder
from semguide.adapters.rows import DenoiserCall
from semguide.adapters.scales import scale_at
from semguide.errors import GuidanceNotApplied
from semguide.guidance import Predictions, Rule, Step, Trace
from semguide.guidance.geometry import widen


class GuidedRun:
    """Steers one pipeline call.

    The pipeline computes u + w (c - u) from the predictions u and c that it gets. It gets u - delta / (w - 1) in the
    place of u, which makes that u + w (c - u) + delta; c stays true, for what the pipeline does with it afterwards:
    rescaling, norms, skip-layer guidance. Where delta is 0, u is unchanged to the bit.
    """

    def __init__(
        self,
        pipe: Any,
        architecture: Architecture,
        rule: Rule[Any],
        images: Sequence[ImagePlan],
        *,
        scales: Mapping[str, float],
        full_trace: bool,
        batch_invariant: bool,
    ) -> None:
        self.pipe = pipe
        self.architecture = architecture
        self.images = images
        self.clock = Clock(pipe)
        self.evaluations = [0] * len(images)
        self.active = not rule.inert or full_trace
        apart = batch_invariant and not rule.inert and len(images) > 1
        self.evaluator = Evaluator(images, architecture.rows, apart=apart, one_call=not batch_invariant)
        self._rule = rule
        self._scales = scales
        self._full_trace = full_trace
        self._recorder = Recorder([image.concepts for image in images])
        self._states = [rule.initial_state(len(image.concepts)) for image in images]

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
        """Return e(c_k) of the images that need it at a step, from the call with the rows of the prompts."""
        needed = self._full_trace or self._rule.needs_concepts(step, self.clock.count)
        wanted = [i for i, image in enumerate(self.images) if image.concepts and needed]
        for i in wanted:
            self.evaluations[i] += len(self.images[i].concepts)
        return self.evaluator.concepts(forward, call, wanted)

    def steered(self, step: int, denoiser: int, uncond: Tensor, cond: Tensor, concepts: Mapping[int, Tensor]) -> Tensor:
        """Return u - delta / (w - 1) of each image.

        Args:
            step: 0-based step.
            denoiser: Which of the pipeline's denoisers made the predictions.
            uncond: e(0), a row per image.
            cond: e(P), alike.
            concepts: e(c_k) of some images: (concept, *dims).
        """
        if step >= self.clock.count:
            raise GuidanceNotApplied(
                f"{type(self.pipe).__name__} called its denoiser at step {step + 1} of {self.clock.count}; it can be "
                "steered only where it predicts once a step"
            )
        scale = scale_at(self.architecture.scale, self.pipe, self._scales, denoiser)
        place = Step(step, self.clock.count, scale, self.architecture.sign * self.clock.eps_scale(step, uncond.device))
        rows = list(uncond)
        for i, found in concepts.items():
            rows[i] = self._steer(i, place, uncond[i], cond[i], found)
        return torch.stack(rows)

    def _steer(self, image: int, place: Step, uncond: Tensor, cond: Tensor, concepts: Tensor) -> Tensor:
        """Return u - delta / (w - 1) of one image; a learned variance stays as it is."""
        size = len(uncond) // 2 if self._learned_sigma(uncond) else len(uncond)
        predictions = Predictions(uncond[:size], cond[:size], concepts[:, :size])
        correction, self._states[image] = self._rule.correct(predictions, place, self._states[image])
        self._recorder.add(image, place.index, correction)
        steered = widen(predictions.uncond) - widen(correction.delta) / (place.guidance_scale - 1)
        return torch.cat([steered.to(uncond.dtype), uncond[size:]]) if size < len(uncond) else steered.to(uncond.dtype)

    def _learned_sigma(self, prediction: Tensor) -> bool:
        if not self.architecture.learned_sigma:
            return False
        config = getattr(self.pipe, self.architecture.denoisers[0]).config
        return len(prediction) == 2 * config.in_channels
