"""Collects corrections on the device during a run and moves them off it once, at the end: mps has no float64."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from semguide.guidance import Correction, Trace

_FIELDS = ("similarity", "gate", "weight")


class Recorder:
    """Collects what the rule saw and did."""

    def __init__(self, concepts: Sequence[Sequence[str]]) -> None:
        self._concepts = tuple(tuple(names) for names in concepts)
        self._places: list[tuple[int, int]] = []
        self._rows: list[Tensor] = []
        self._abstract = False

    def add(self, image: int, step: int, correction: Correction) -> None:
        """Take the correction of one image at one step."""
        parts = [getattr(correction, name) for name in _FIELDS]
        if correction.abstract is not None:
            self._abstract = True
            parts.append(correction.abstract.reshape(1))
        self._places.append((image, step))
        self._rows.append(torch.cat(parts))

    def trace(self, method: str, count: int) -> Trace:
        """Return the trace of a run of `count` steps."""
        tables = [np.full((count, 3 * len(names) + 1), np.nan) for names in self._concepts]
        moved = torch.cat(self._rows).cpu().double().numpy() if self._rows else np.empty(0)
        start = 0
        for (image, step), row in zip(self._places, self._rows, strict=True):
            tables[image][step, : len(row)] = moved[start : start + len(row)]
            start += len(row)
        columns = [np.split(table[:, :-1], 3, axis=1) for table in tables]
        return Trace(
            method,
            self._concepts,
            similarity=tuple(part[0] for part in columns),
            gate=tuple(part[1] for part in columns),
            weight=tuple(part[2] for part in columns),
            abstract=tuple(table[:, -1] if self._abstract else None for table in tables),
        )
