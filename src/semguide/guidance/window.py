"""The step window: the one place that says at which steps a rule acts."""

from __future__ import annotations

import math
from dataclasses import dataclass

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Window:
    """The steps from `first` to `last`, both included; 0-based; empty where last < first.

    >>> [step for step in range(10) if Window.closed(2, 4).contains(step)]
    [2, 3, 4]
    """

    first: int
    last: int

    @staticmethod
    def closed(warmup: int, cooldown: int) -> Window:
        """Return the steps i with warmup <= i <= cooldown (`SGTv1`)."""
        return Window(warmup, cooldown)

    @staticmethod
    def between(warmup: int, cooldown: int) -> Window:
        """Return the steps i with warmup < i < cooldown (`SGTv2`)."""
        return Window(warmup + 1, cooldown - 1)

    @staticmethod
    def fraction(start: float, stop: float, count: int) -> Window:
        """Return the steps i of `count` with start <= i / count < stop (`BalancedSGT`).

        >>> Window.fraction(0.0, 0.5, 10)
        Window(first=0, last=4)
        """
        return Window(math.ceil(start * count - _ROUNDING), math.ceil(stop * count - _ROUNDING) - 1)

    def contains(self, step: int) -> bool:
        """Say whether the rule acts at this step."""
        return self.first <= step <= self.last

    def ahead(self, step: int, count: int) -> bool:
        """Say whether the rule acts at this step or at a later one of `count`."""
        return max(self.first, step) <= min(self.last, count - 1)
