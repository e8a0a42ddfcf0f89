"""What the rule saw and did: similarity, gate and weight per image, step and concept."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from semguide.files import without_nan

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Trace:
    """The record of a run; one entry per image in every tuple.

    Attributes:
        method: Name of the rule.
        concepts: The concept texts.
        similarity: Arrays (step, concept), NaN where the concepts were not evaluated.
        gate: Arrays (step, concept): 0 closed, 1 open, in between for soft gates, -1 where the rule pushes away.
        weight: Arrays (step, concept), the coefficient on the concept's direction.
        abstract: Similarity of the abstract concept, arrays (step,), or None where the rule has none.
    """

    method: str
    concepts: tuple[tuple[str, ...], ...]
    similarity: tuple[Values, ...]
    gate: tuple[Values, ...]
    weight: tuple[Values, ...]
    abstract: tuple[Values | None, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists and numbers, one dictionary per image under "images"; None stands for not evaluated."""
        images = [
            {
                "concepts": list(self.concepts[image]),
                **{name: _plain(getattr(self, name)[image]) for name in ("similarity", "gate", "weight", "abstract")},
            }
            for image in range(len(self.concepts))
        ]
        return {"method": self.method, "images": images}

    def to_json(self) -> str:
        """Return `to_dict` as JSON text."""
        return json.dumps(self.to_dict(), allow_nan=False)

    def plot(self, path: str | Path | None = None) -> Figure:
        """Draw one panel per image: similarity per concept over the steps, shaded where the gate is open.

        Args:
            path: Where to write it too; the ending decides the format.

        Returns:
            A matplotlib figure that is open nowhere and needs no display.
        """
        from semguide.guidance.plot import draw_trace

        figure = draw_trace(self.method, self.concepts, self.similarity, self.gate)
        if path is not None:
            cast(Any, figure).savefig(path)
        return figure


def _plain(values: Values | None) -> Any:
    """Return nested lists, None in the place of NaN and infinity."""
    return None if values is None else without_nan(values.tolist())
