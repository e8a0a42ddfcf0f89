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

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from semguide.adapters.eps_scale import MIN_SCALE
from semguide.errors import RuleNeverActed
from semguide.guidance import FiniteCheck, Predictions, Rule, RuleSession, Step, Trace

ROUNDING = 1e-4
"""How far the sigma of a call may be from the schedule's, relative to it; neighbours in a schedule differ by more."""


class SamplerSession:
    """One run of a sampler with a rule: finds the step of each call and corrects its images.

    Args:
        rule: The rule.
        concepts: The concept texts, the same for all images of the batch.
        sigmas: The schedule, one more than there are steps.
        full_trace: Whether to evaluate concepts that the rule does not use.

    Attributes:
        count: Number of steps.
    """

    def __init__(self, rule: Rule[Any], concepts: Sequence[str], sigmas: Sequence[float], *, full_trace: bool) -> None:
        self.count = max(0, len(sigmas) - 1)
        self._sigmas = tuple(sigmas[:-1])
        self._rule, self._concepts, self._full_trace = rule, tuple(concepts), full_trace
        self._rule_session = self._session_of(1)
        self._finite = FiniteCheck()
        self._begun = False

    def step_of(self, sigma: float) -> int:
        """Return the 0-based step of a call: the last one of the schedule that starts at this sigma or above."""
        started = sum(start >= sigma * (1 - ROUNDING) for start in self._sigmas)
        return max(0, started - 1)

    def needs_concepts(self, step: int) -> bool:
        """Say whether the predictions for the concepts are wanted at a step."""
        return self._rule_session.needs_concepts(0, step, self.count)

    def corrections(self, step: Step, uncond: Tensor, cond: Tensor, concepts: Tensor) -> Tensor:
        """Return what to add to classifier-free guidance, image by image.

        Args:
            step: The step; its `eps_scale` is that of denoised images.
            uncond: D(0), "image *dims".
            cond: D(P), "image *dims".
            concepts: D(c_k), "concept image *dims".

        Returns:
            The corrections, "image *dims".
        """
        if not self._begun:  # only now is it known how many images there are
            self._begun, self._rule_session = True, self._session_of(len(cond))
        self.note(step.index, concepts)
        images = [Predictions(uncond[i], cond[i], concepts[:, i]) for i in range(len(cond))]
        return torch.stack([self._rule_session.correct(i, step, found) for i, found in enumerate(images)])

    def note(self, step: int | None, prediction: Tensor) -> None:
        """Take note of a prediction of a step (0-based; None: not known), which `check` looks at."""
        self._finite.note("the model" if step is None else f"the model at step {step + 1}", prediction)

    def check(self) -> None:
        """Check all predictions since the last check. Waits for the device.

        Raises:
            NotFinite: The model made NaN or infinity.
        """
        self._finite.check()

    def warn_if_idle(self) -> None:
        """Warn if the rule corrected nothing, once the sampler is done."""
        self._rule_session.warn_if_idle(self.count)

    def idle(self) -> RuleNeverActed | None:
        """Return why the rule corrected nothing, once the sampler is done; None where it did."""
        return next(filter(None, self._rule_session.idle(self.count)), None)

    def trace(self) -> Trace:
        """Return the trace; of several calls in a step the last one counts."""
        return self._rule_session.trace(self.count)

    def _session_of(self, images: int) -> RuleSession:
        return RuleSession(self._rule, [self._concepts] * images, full_trace=self._full_trace)


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
