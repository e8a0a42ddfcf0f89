"""A rule at the calls of a sampler that works with denoised images, as those of ComfyUI and Forge do. Torch only.

The algebra. At noise level sigma the sampler holds x = a x0 + b n with noise n; what it asks the model for is the
denoised image D = (x - b eps) / a. At a fixed x therefore

    D(c) - D(0) = -(b / a) (eps(c) - eps(0)),    so    eps_scale = -a / b

with a = 1, b = sigma for models that predict eps, v or x0 (so -1 / sigma) and a = 1 - sigma, b = sigma for flow models.
The rules need nothing else: their cosines are of differences, which all change by that one factor; their corrections
change by it too, so u + w (c - u) + delta holds for D as it does for eps; what they remember, they keep in eps space.

A call of the model is not a step: Heun's method makes two of them in a step, others more. The step of a call is found
from its sigma, and the memory of a rule goes on by one when a later step is first seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from semguide.adapters.eps_scale import MIN_SCALE
from semguide.adapters.recorder import Recorder
from semguide.guidance import Predictions, Rule, Step, Trace

ROUNDING = 1e-4
"""How far the sigma of a call may be from the schedule's, relative to it; neighbours in a schedule differ by more."""


class SamplerSession:
    """One run of a sampler with a rule: finds the step of each call, keeps the rule's memory and records the trace."""

    def __init__(self, rule: Rule[Any], concepts: Sequence[str], sigmas: Sequence[float], *, full_trace: bool) -> None:
        self.count = max(0, len(sigmas) - 1)
        self._rule = rule
        self._concepts = tuple(concepts)
        self._sigmas = tuple(sigmas[:-1])
        self._active = bool(concepts) and (full_trace or not rule.is_noop)
        self._full_trace = full_trace
        self._recorder = Recorder([self._concepts])
        self._step = -1
        self._before: list[Any] = []
        self._after: list[Any] = []

    def step_of(self, sigma: float) -> int:
        """Return the 0-based step of a call: the last one of the schedule that starts at this sigma or above."""
        started = sum(start >= sigma * (1 - ROUNDING) for start in self._sigmas)
        return max(0, started - 1)

    def needs_concepts(self, step: int) -> bool:
        """Say whether the predictions for the concepts are wanted at a step."""
        wanted = self._full_trace or self._rule.evaluates(step, self.count, len(self._concepts))
        return self._active and wanted

    def corrections(self, place: Step, uncond: Tensor, cond: Tensor, concepts: Tensor) -> Tensor:
        """Return what to add to classifier-free guidance, image by image.

        Args:
            place: The step; its `eps_scale` is that of denoised images.
            uncond: D(0), "image *dims".
            cond: D(P), "image *dims".
            concepts: D(c_k), "concept image *dims".

        Returns:
            The corrections, "image *dims".
        """
        self._go_to(place.index, len(cond))
        deltas: list[Tensor] = []
        for i in range(len(cond)):
            predictions = Predictions(uncond[i], cond[i], concepts[:, i])
            correction, self._after[i] = self._rule.correct(predictions, place, self._before[i])
            self._recorder.add(i, place.index, correction)
            deltas.append(correction.delta)
        return torch.stack(deltas)

    def trace(self) -> Trace:
        """Return the trace; of several calls in a step the last one counts."""
        return self._recorder.trace(self._rule.name, self.count)

    def _go_to(self, step: int, images: int) -> None:
        """Begin a step if it is later than all before: what the rule kept of the last one becomes its memory."""
        if self._step < 0:
            self._after = [self._rule.initial_state(len(self._concepts)) for _ in range(images)]
            self._recorder = Recorder([self._concepts] * images)
        if step > self._step:
            self._step = step
            self._before = list(self._after)


def eps_scale(sampling: Any, sigma: Tensor) -> Tensor:
    """Return -a / b of x = a x0 + b n, kept off zero: rules divide by it.

    Args:
        sampling: The model's own sampling object; its `noise_scaling(sigma, n, x0)` says what a and b are.
        sigma: The noise level, a scalar.

    Returns:
        A scalar on the device of sigma.
    """
    none, one = torch.zeros_like(sigma), torch.ones_like(sigma)
    image, noise = sampling.noise_scaling(sigma, none, one), sampling.noise_scaling(sigma, one, none)
    return (-image / noise).clamp(max=-MIN_SCALE)
