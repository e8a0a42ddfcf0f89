"""The figures of the report, as SVG that takes the page's text colour and refers to nothing outside itself."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semguide.evaluation.rows import Row

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK = "#010203"
"""Stands for the page's text colour in a figure until it is written."""
PALETTE = ("#1f77d0", "#e0701a", "#2f9e44", "#c2255c", "#7950d8", "#0c8599", "#a8790b", "#868e96")


def quality_cost(methods: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Draw the share of images with every concept right against denoiser evaluations an image.

    Args:
        methods: "methods" of a summary.

    Returns:
        SVG text; None where nothing was judged.
    """
    judged = {name: found for name, found in methods.items() if found["all_concepts"]["mean"] is not None}
    if not judged:
        return None
    figure, axis = _axis("denoiser evaluations per image", "all concepts right, share of images")
    for index, (name, found) in enumerate(judged.items()):
        mean, (low, high) = found["all_concepts"]["mean"], found["all_concepts"]["ci95"]
        cost, colour = found["evaluations_per_image"], PALETTE[index % len(PALETTE)]
        axis.errorbar([cost], [mean], [[mean - low], [high - mean]], fmt="o", capsize=4, color=colour)
        axis.annotate(name, (cost, mean), (8, 4), textcoords="offset points", color=colour)
    axis.margins(x=0.2)
    axis.set_ylim(bottom=0)
    return _svg(figure, "quality")


def trajectories(methods: Sequence[str], rows: Sequence[Row]) -> str | None:
    """Draw the similarity over the steps, mean over concepts and images, one line a method.

    Returns:
        SVG text; None where no concept was evaluated.
    """
    figure, axis = _axis("step", "similarity, mean over concepts and images")
    drawn = False
    for index, name in enumerate(methods):
        mean = mean_trajectory([row for row in rows if row["method"] == name])
        if mean is not None:
            drawn = True
            axis.plot(mean, marker=".", color=PALETTE[index % len(PALETTE)], label=name)
    if not drawn:
        return None
    axis.legend(frameon=False, labelcolor=INK)
    return _svg(figure, "trajectories")


def mean_trajectory(rows: Sequence[Row]) -> NDArray[np.float64] | None:
    """Return the similarity of each step, mean over concepts and images; NaN where no concept was evaluated."""
    traces: list[list[list[float | None] | None]] = [r["similarity"] for r in rows if r["similarity"] is not None]
    if not traces:
        return None
    sums, counts = np.zeros(len(traces[0])), np.zeros(len(traces[0]))
    for trace in traces:
        for step, values in enumerate(trace):
            known = [value for value in values or [] if value is not None]
            sums[step] += sum(known)
            counts[step] += len(known)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _axis(xlabel: str, ylabel: str) -> tuple[Figure, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.8), layout="constrained")
    axis: Any = figure.subplots()
    axis.set_xlabel(xlabel, color=INK)
    axis.set_ylabel(ylabel, color=INK)
    axis.tick_params(colors=INK)
    axis.grid(color=INK, alpha=0.15)
    axis.patch.set_alpha(0)
    axis.spines[["top", "right"]].set_visible(False)
    axis.spines[["left", "bottom"]].set_color(INK)
    return figure, axis


def _svg(figure: Figure, name: str) -> str:
    import matplotlib as mpl

    library: Any = mpl
    written = io.StringIO()
    drawn: Any = figure
    with library.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        drawn.savefig(written, format="svg", transparent=True, metadata={"Date": None})
    text = written.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    return text.replace(INK, "currentColor")
