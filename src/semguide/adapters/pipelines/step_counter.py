"""Which step of the pipeline a denoiser call belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from semguide.adapters.eps_scale import eps_scales
from semguide.errors import GuidanceNotApplied


class StepCounter:
    """Counts the steps of one pipeline call: entries of its timesteps, however many denoiser calls each takes.

    Attributes:
        count: Number of steps; 0 before the first one.
        taken: Number of steps begun.
    """

    def __init__(self, pipe: Any) -> None:
        self.count = 0
        self.taken = 0
        self._pipe = pipe
        self._skipped = 0
        self._scales: Sequence[Tensor | float] = ()

    def watch_timesteps(self, result: Any) -> None:
        """Take what the pipeline's `get_timesteps` returned: the steps of an image-to-image call, the last ones."""
        self._skipped = len(self._pipe.scheduler.timesteps) - len(result[0])

    def tick(self) -> int:
        """Begin a step; returns its index."""
        if self.taken == 0:
            steps = getattr(self._pipe, "num_timesteps", None)
            self.count = len(self._pipe.scheduler.timesteps) - self._skipped if steps is None else int(steps)
        self.taken += 1
        return self.taken - 1

    def eps_scale(self, step: int, device: torch.device) -> Tensor | float:
        """Return eps difference / raw difference of a step."""
        if not self._scales:
            self._scales = eps_scales(self._pipe.scheduler, self.count, device, self._skipped)
        return self._scales[step]

    def check(self) -> None:
        """Check after the run that every step was seen.

        Raises:
            GuidanceNotApplied: One was not.
        """
        interrupted = bool(getattr(self._pipe, "interrupt", False))
        if self.taken > self.count or (self.taken < max(1, self.count) and not interrupted):
            raise GuidanceNotApplied(
                f"the rule ran at {self.taken} of {self.count} steps of {type(self._pipe).__name__}, whose denoiser "
                "was called past it; do not replace or re-hook the denoiser while the pipeline runs"
            )
