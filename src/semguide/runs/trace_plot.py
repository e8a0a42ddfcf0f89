"""The trajectory plot: similarity of the guidance to each concept over the steps, with the gate shaded."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any, TypeGuard

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = 4
"""Most seeds in a plot."""
NOTHING = "no concept was evaluated\n(plain guidance);\n--full-trace evaluates them"
Trace = dict[str, Any]


def draw_trajectory(
    prompt: str, methods: list[str], seeds: list[int], trace: Callable[[str, int], Trace | None]
) -> Figure:
    """Draw one panel per method and seed, laid out like the grid.

    Args:
        prompt: The title.
        methods: Rows, top to bottom; of a method that evaluated no concept the row says so.
        seeds: Columns; the first 4 are drawn.
        trace: Returns the trace of a method and seed, None if there is none.

    Returns:
        A matplotlib figure.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    from semguide.guidance.plot import SIMILARITY, draw_legend, draw_panel, plain

    shown = seeds[:COLUMNS]
    traces = {(method, seed): trace(method, seed) for method in methods for seed in shown}
    heights = [2.6 if any(_has_values(traces[method, seed]) for seed in shown) else 1.0 for method in methods]
    figure = Figure(figsize=(1.5 + 3.5 * len(shown), 1.6 + sum(heights)), dpi=110, layout="constrained")
    figure.suptitle(plain(prompt))
    axes = figure.subplots(
        len(methods), len(shown), squeeze=False, sharex=True, sharey=True, gridspec_kw={"height_ratios": heights}
    )
    drawn: list[Any] = []
    for row, method in enumerate(methods):
        for column, seed in enumerate(shown):
            axis, found = axes[row][column], traces[method, seed]
            axis.set_title(f"{method}, seed {seed}", fontsize=9)
            if _has_values(found):
                draw_panel(axis, found["concepts"], found["similarity"], found["gate"])
                drawn.append(axis)
            else:
                axis.text(0.5, 0.5, NOTHING, transform=axis.transAxes, ha="center", va="center", fontsize=8)
        axes[row][0].set_ylabel("similarity")
    for axis in axes[-1]:
        axis.set_xlabel("step")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    if drawn:
        meaning = fill(SIMILARITY, 30 + 45 * len(shown))
        draw_legend(figure, drawn[-1], loc="outside lower center", ncols=3, title=meaning, title_fontsize=8)
    return figure


def write_trajectory(path: Path, figure: Figure, texts: dict[str, Any] | None = None) -> None:
    """Write a figure as a PNG file.

    Args:
        path: The file.
        figure: The figure.
        texts: JSON values by keyword of the text chunk.
    """
    figure.savefig(
        path, format="png", metadata={keyword: json.dumps(value) for keyword, value in (texts or {}).items()}
    )


def _has_values(trace: Trace | None) -> TypeGuard[Trace]:
    return trace is not None and any(value is not None for row in trace["similarity"] for value in row)
