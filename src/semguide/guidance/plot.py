"""The picture of a trace. It opens no window and keeps no figure alive: no pyplot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHADE = 0.15
"""Opacity of a fully open gate."""
LONGEST = 80
"""Characters of a text that are drawn."""
SIMILARITY = (
    "similarity: cosine between the change that the whole prompt asks for at a step and the one that the concept "
    "alone asks for; low: the concept is being left out"
)
_COLOURS = {
    "tab:blue": ("blue", "navy", "azure", "teal", "turquoise", "cyan"),
    "tab:orange": ("orange", "gold", "golden", "yellow", "amber", "red", "brown", "ginger", "wooden"),
    "tab:green": ("green", "olive", "emerald", "lime"),
    "tab:purple": ("purple", "violet", "lavender", "pink", "magenta"),
    "tab:brown": ("brown", "red", "wooden", "bronze", "chocolate", "beige", "tan", "orange"),
    "tab:cyan": ("cyan", "turquoise", "teal", "blue", "azure"),
    "tab:pink": ("pink", "red", "magenta", "purple", "violet", "rose"),
    "tab:gray": ("gray", "grey", "silver", "black", "white"),
}
"""Colours of lines, and the words of a concept that could be taken for them."""
_INK = "black"
_MARKERS = "osD^vPX*"


def draw_trace(
    method: str, concepts: Sequence[Sequence[str]], similarity: Sequence[Any], gate: Sequence[Any]
) -> Figure:
    """Draw one panel per image: similarity per concept over the steps, shaded where the gate is open.

    Args:
        method: The title.
        concepts: The concept texts of each image.
        similarity: (steps, concepts) of each image, NaN where it was not evaluated.
        gate: (steps, concepts) of each image, drawn as shade in the concept's colour.
    """
    from matplotlib.figure import Figure

    count = max(1, len(concepts))
    figure: Any = Figure(figsize=(7.0, 1.0 + 2.4 * count), layout="constrained")
    panels = figure.subplots(count, 1, squeeze=False, sharex=True)
    for image, texts in enumerate(concepts):
        axes = panels[image][0]
        draw_panel(axes, texts, similarity[image], gate[image])
        axes.set_ylabel(f"similarity (image {image})")
        draw_legend(axes, axes)
    panels[0][0].set_title(method)
    panels[-1][0].set_xlabel("step")
    return figure


def draw_panel(axes: Any, concepts: Sequence[str], similarity: Any, gate: Any) -> None:
    """Draw the concepts of one image.

    Args:
        axes: Where, of matplotlib.
        concepts: Their texts.
        similarity: (steps, concepts), NaN or None where it was not evaluated.
        gate: (steps, concepts), how far open; drawn as shade in the concept's colour.
    """
    styles = line_styles(concepts)
    similarity, gate = (np.asarray(table, dtype=np.float64) for table in (similarity, gate))
    for k, concept in enumerate(concepts):
        colour, marker = styles[k]
        axes.plot(similarity[:, k], marker=marker, markersize=4, linewidth=1.2, color=colour, label=plain(concept))
        opening = np.abs(np.nan_to_num(gate[:, k])).clip(max=1.0)
        for step in np.flatnonzero(opening).tolist():
            axes.axvspan(step - 0.5, step + 0.5, color=colour, alpha=SHADE * opening[step], linewidth=0)
    axes.set_xlim(-0.5, max(0.5, len(similarity) - 0.5))


def line_styles(concepts: Sequence[str]) -> list[tuple[str, str]]:
    """Return colour and marker of the line of each concept: colours that no concept of the picture names."""
    words = {word.strip(".,;:!?") for concept in concepts for word in concept.lower().split()}
    colours = [colour for colour, names in _COLOURS.items() if words.isdisjoint(names)] or [_INK]
    return [(colours[k % len(colours)], _MARKERS[k % len(_MARKERS)]) for k in range(len(concepts))]


def draw_legend(parent: Any, axes: Any, **placed: Any) -> None:
    """Write what the lines and the shade of a panel are.

    Args:
        parent: The figure or the axes that the legend belongs to.
        axes: The panel.
        **placed: Keywords of matplotlib's `legend`.
    """
    from matplotlib.patches import Patch

    lines, labels = axes.get_legend_handles_labels()
    if lines:
        shade = Patch(color="gray", alpha=2 * SHADE, linewidth=0)
        parent.legend([*lines, shade], [*labels, "shaded: this concept is steered"], fontsize=8, **placed)


def plain(text: str) -> str:
    """Shorten a text and take the meaning of mathematics from its dollar signs."""
    text = " ".join(text.split()).replace("$", r"\$")
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
