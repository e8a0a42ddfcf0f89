"""Paired bootstrap over prompts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semguide.errors import InvalidArgument


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with its 95 % bootstrap interval.

    Attributes:
        mean: The mean over prompts.
        low: Lower end of the interval.
        high: Upper end.
    """

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"


def bootstrap(values: ArrayLike, resamples: int = 10_000, seed: int = 0) -> Estimate:
    """Estimate a mean over prompts; for a paired difference pass the differences.

    Args:
        values: (prompts,) one number per prompt, already averaged over its seeds.
        resamples: How often prompts are drawn with replacement, >= 1; rounded up to thousands.
        seed: Of the draws.

    Raises:
        InvalidArgument: There is no value, one is not finite, or there is no resample.
    """
    data: NDArray[np.float64] = np.asarray(values, dtype=np.float64)
    if data.ndim != 1 or data.size == 0:
        raise InvalidArgument("values", "must be one number per prompt and at least one", values)
    if not np.isfinite(data).all():
        raise InvalidArgument("values", "must be finite numbers", values)
    if resamples < 1:
        raise InvalidArgument("resamples", "must be >= 1", resamples)
    rng = np.random.default_rng(seed)
    means = np.concatenate(
        [data[rng.integers(data.size, size=(1000, data.size))].mean(axis=1) for _ in range(-(-resamples // 1000))]
    )
    low, high = np.quantile(means, [0.025, 0.975])
    return Estimate(float(data.mean()), float(low), float(high))
