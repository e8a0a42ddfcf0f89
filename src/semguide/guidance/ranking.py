"""The order of the images of a prompt by their scores."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence


def places(scores: Sequence[float | None]) -> list[int | None]:
    """Return the place of each image among those of a prompt, 1 for the highest score, equal ones in their order.

    Args:
        scores: One an image; None ranks last.

    Returns:
        A place for each; None for all where none has a score.
    """
    if all(value is None for value in scores):
        return [None] * len(scores)
    order = sorted(range(len(scores)), key=lambda index: -math.inf if (v := scores[index]) is None else v, reverse=True)
    found: list[int | None] = [None] * len(scores)
    for place, index in enumerate(order, 1):
        found[index] = place
    return found


def places_in_groups(scores: Sequence[float | None], groups: Sequence[Hashable]) -> list[int | None]:
    """Return the place of each image among those of its group, such as its prompt."""
    found: list[int | None] = [None] * len(scores)
    for group in dict.fromkeys(groups):
        members = [index for index, other in enumerate(groups) if other == group]
        for index, place in zip(members, places([scores[index] for index in members]), strict=True):
            found[index] = place
    return found
