"""A rule at the calls of a sampler that works with denoised images, as those of ComfyUI and Forge do. Torch only.

The algebra. At noise level sigma the sampler holds x = a x0 + b n with noise n; what it asks the model for is the
denoised image D = (x - b eps) / a. At a fixed x therefore

    D(c) - D(0) = -(b / a) (eps(c) - eps(0)),    so    eps_scale = -a / b

with a = 1, b = sigma for models that predict eps, v or x0 (so -1 / sigma) and a = 1 - sigma, b = sigma for flow models.
The rules need nothing else: their cosines are of differences, which all change by that one factor; their corrections
change by it too, so u + w (c - u) + delta holds for D as it does for eps; what they remember, they keep in eps space.

A call of the model is not a step: Heun's method makes two of them in a step, others more. The step of a call is found
from its sigma; `RuleSession` takes care that a rule's state goes on once a step.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from semguide.adapters.eps_scale import MIN_SCALE
from semguide.errors import CorrectedNothing, RuleNeverActed
from semguide.guidance import FiniteCheck, Predictions, Rule, RuleSession, Step, Trace
from semguide.guidance.signal_score import STOP, first_steps, score_of

ROUNDING = 1e-4
"""How far the sigma of a call may be from the schedule's, relative to it; neighbours in a schedule differ by more."""


class SamplerSession:
    """One run of a sampler with a rule: finds the step of each call and corrects its images.

    Args:
        rule: The rule.
        concepts: The concept texts, the same for all images of the batch.
        sigmas: The schedule, one more than there are steps.
        full_trace: Whether to evaluate concepts that the rule does not use.
        scored: Whether to evaluate them at the first steps, by which the images are scored.

    Attributes:
        count: Number of steps.
        first: How many of them an image is scored by, 0 if it is not to be.
    """

    def __init__(
        self,
        rule: Rule[Any],
        concepts: Sequence[str],
        sigmas: Sequence[float],
        *,
        full_trace: bool,
        scored: bool = False,
    ) -> None:
        self.count = max(0, len(sigmas) - 1)
        self.first = first_steps(STOP, self.count) if scored else 0
        self._sigmas = tuple(sigmas[:-1])
        self._rule, self._concepts, self._full_trace = rule, tuple(concepts), full_trace
        self._all = tuple(range(len(self._concepts)))
        self._sessions: dict[tuple[int, ...], RuleSession] = {}
        self._images, self._asked = 0, False
        self._finite = FiniteCheck()

    def step_of(self, sigma: float) -> int:
        """Return the 0-based step of a call: the last one of the schedule that starts at this sigma or above."""
        started = sum(start >= sigma * (1 - ROUNDING) for start in self._sigmas)
        return max(0, started - 1)

    def needs_concepts(self, step: int, present: Sequence[int] | None = None) -> bool:
        """Say whether the predictions for the concepts are wanted at a step.

        Args:
            step: The step, 0-based.
            present: Numbers of the concepts that there are at this step, in order; None: all.
        """
        there = present is None or len(present) > 0
        return there and (step < self.first or self.uses_concepts(step, present))

    def uses_concepts(self, step: int, present: Sequence[int] | None = None) -> bool:
        """Say whether rule or trace want them: where they do not, the score alone does."""
        return self._session(present).needs_concepts(0, step, self.count)

    def corrections(
        self, step: Step, uncond: Tensor, cond: Tensor, concepts: Tensor, present: Sequence[int] | None = None
    ) -> Tensor:
        """Return what to add to classifier-free guidance, image by image.

        Args:
            step: The step; its `eps_scale` is that of denoised images.
            uncond: D(0), "image *dims".
            cond: D(P), "image *dims".
            concepts: D(c_k), "concept image *dims", of those that are present.
            present: Their numbers, in order; None: all. What a rule remembers begins anew with every other selection.

        Returns:
            The corrections, "image *dims".
        """
        self.note(step.index, concepts)
        self._asked = True
        if len(cond) != self._images:  # only now is it known how many images there are
            self._images, self._sessions = len(cond), {}
        session = self._session(present)
        images = [Predictions(uncond[i], cond[i], concepts[:, i]) for i in range(len(cond))]
        return torch.stack([session.correct(i, step, found) for i, found in enumerate(images)])

    def note(self, step: int | None, prediction: Tensor) -> None:
        """Take note of a prediction of a step (0-based; None: not known), which `check` looks at."""
        self._finite.note("the model" if step is None else f"the model at step {step + 1}", prediction)

    def check(self) -> None:
        """Check all predictions since the last check. Waits for the device.

        Raises:
            NotFinite: The model made NaN or infinity.
        """
        self._finite.check()

    def idle(self) -> RuleNeverActed | None:
        """Return why the rule corrected nothing, once the sampler is done; None where it did."""
        whole = self._session(None).idle(self.count)
        found = [session.idle(self.count) for session in self._sessions.values()]
        left = [why for image, why in enumerate(whole) if all(each[image] is not None for each in found)]
        why = next(iter(left), None)
        return self._too_few() if isinstance(why, CorrectedNothing) and not self._asked else why

    def _too_few(self) -> RuleNeverActed:
        told = f"{self._rule.name} corrected nothing, as at none of the {self.count} steps there are enough concepts"
        remedy = "let their masks and ranges of steps meet in the rule's window"
        return RuleNeverActed(f"{told}: the images are those without it", remedy)

    def scores(self) -> list[float]:
        """Return of each image the probability that all its concepts are right, after the first steps.

        Waits for the device. See `semguide.guidance.signal_score`; NaN where nothing was to be seen.
        """
        found = [score_of(odds) for odds in self._session(None).log_odds()]
        return [math.nan if score is None else score for score in found]

    def trace(self) -> Trace:
        """Return the trace; of several calls in a step the last one counts."""
        whole = self._session(None).trace(self.count)
        for present, session in self._sessions.items():
            if present != self._all:
                whole = _filled(whole, session.trace(self.count), present)
        return whole

    def _session(self, present: Sequence[int] | None) -> RuleSession:
        """Return the session of a selection of the concepts."""
        chosen = self._all if present is None else tuple(present)
        if chosen not in self._sessions:
            names = tuple(self._concepts[k] for k in chosen)
            self._sessions[chosen] = RuleSession(
                self._rule, [names] * max(1, self._images), full_trace=self._full_trace
            )
        return self._sessions[chosen]


def _filled(whole: Trace, part: Trace, present: Sequence[int]) -> Trace:
    """Return a trace with what that of some concepts has at its steps."""
    for name in ("similarity", "gate", "weight"):
        for table, found in zip(getattr(whole, name), getattr(part, name), strict=True):
            steps = ~np.isnan(found).all(axis=1)
            table[np.ix_(steps, present)] = found[steps]
    abstract = [
        mine if other is None else other if mine is None else np.where(np.isnan(other), mine, other)
        for mine, other in zip(whole.abstract, part.abstract, strict=True)
    ]
    return replace(whole, abstract=tuple(abstract))


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
