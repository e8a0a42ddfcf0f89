"""The seeds that are tried for an image, one after another, and the score with which one is finished."""

from __future__ import annotations

THRESHOLD = 0.8
"""Score with which a seed is finished; one to three in ten first starts are below it on the embedded checkpoints."""
STRIDE = 10_000
"""Distance of the seeds that are tried for one image: its own, and others that no other image of a run has."""


def attempts_of(seed: int, retries: int) -> list[int]:
    """Return the seeds that are tried for the image of a seed, its own first."""
    return [seed, *((seed + STRIDE * number) % 2**63 for number in range(1, retries + 1))]
