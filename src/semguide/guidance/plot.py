"""The picture of a trace. It opens no window and keeps no figure alive: no pyplot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from semguide.guidance.trace import Trace

SHADE = 0.15
"""Opacity of a fully open gate."""


def draw_trace(trace: Trace) -> Figure:
    """Draw one panel per image: similarity per concept over the steps, shaded where the gate is open."""
    from matplotlib.figure import Figure

    count = max(1, len(trace.concepts))
    figure: Any = Figure(figsize=(7.0, 1.0 + 2.4 * count), layout="constrained")
    panels = figure.subplots(count, 1, squeeze=False, sharex=True)
    for image in range(len(trace.concepts)):
        _draw_image(panels[image][0], trace, image)
    panels[0][0].set_title(trace.method)
    panels[-1][0].set_xlabel("step")
    return figure


def _draw_image(axes: Any, trace: Trace, image: int) -> None:
    """Draw the concepts of one image into one panel."""
    similarity = trace.similarity[image]
    steps = np.arange(len(similarity))
    for k, concept in enumerate(trace.concepts[image]):
        axes.plot(steps, similarity[:, k], marker=".", color=f"C{k}", label=concept.replace("$", r"\$"))
        opening = np.abs(np.nan_to_num(trace.gate[image][:, k])).clip(max=1.0)
        for step in np.flatnonzero(opening).tolist():
            axes.axvspan(step - 0.5, step + 0.5, color=f"C{k}", alpha=SHADE * opening[step], linewidth=0)
    axes.set_xlim(-0.5, max(0.5, len(similarity) - 0.5))
    axes.set_ylabel(f"similarity (image {image})")
    if trace.concepts[image]:
        axes.legend(fontsize="small")
