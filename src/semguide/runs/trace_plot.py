"""The trajectory plot: similarity of the guidance to each concept over the steps, with the gate shaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = 4
"""Most seeds in a plot."""
Trace = dict[str, Any]


def draw_trajectory(
    prompt: str, methods: list[str], seeds: list[int], trace: Callable[[str, int], Trace | None]
) -> Figure:
    """Draw one panel per method and seed, laid out like the grid.

    Args:
        prompt: The title.
        methods: Rows, top to bottom; methods that evaluated no concept are left out.
        seeds: Columns; the first 4 are drawn.
        trace: Returns the trace of a method and seed, None if there is none.

    Returns:
        A matplotlib figure.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    from semguide.guidance.plot import draw_legend, draw_panel, plain

    shown = seeds[:COLUMNS]
    traces = {(method, seed): trace(method, seed) for method in methods for seed in shown}
    rows = [method for method in methods if any(_has_values(traces[method, seed]) for seed in shown)]
    figure = Figure(figsize=(1.5 + 3.5 * len(shown), 1.2 + 2.6 * max(1, len(rows))), dpi=110, layout="constrained")
    figure.suptitle(plain(prompt))
    if not rows:
        figure.text(0.5, 0.4, "No concept was evaluated (plain guidance); --full-trace evaluates them.", ha="center")
        return figure
    axes = figure.subplots(len(rows), len(shown), squeeze=False, sharex=True, sharey=True)
    for row, method in enumerate(rows):
        for column, seed in enumerate(shown):
            axes[row][column].set_title(f"{method}, seed {seed}", fontsize=9)
            if (found := traces[method, seed]) is not None:
                draw_panel(axes[row][column], found["concepts"], found["similarity"], found["gate"])
        axes[row][0].set_ylabel("similarity")
    for axis in axes[-1]:
        axis.set_xlabel("step")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    draw_legend(figure, axes[0][0], loc="outside lower center", ncols=3)
    return figure


def write_trajectory(path: Path, figure: Figure) -> None:
    """Write a figure as a PNG file."""
    figure.savefig(path, format="png")


def _has_values(trace: Trace | None) -> bool:
    return trace is not None and any(value is not None for row in trace["similarity"] for value in row)
