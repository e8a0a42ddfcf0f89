from pathlib import Path
from typing import Any

from PIL import Image

from semguide.runs.trace_plot import draw_trajectory, write_trajectory

TRACE: dict[str, Any] = {
    "concepts": ["a $5 book", "a vase"],
    "similarity": [[0.5, 0.25], [None, None], [0.75, 0.5]],
    "gate": [[1.0, 0.0], [None, None], [0.0, -0.5]],
    "weight": [[1.0, 0.0], [None, None], [0.0, 1.0]],
    "abstract": None,
}
EMPTY: dict[str, Any] = {**TRACE, "similarity": [[None, None]] * 3}


def test_a_panel_for_every_seed_of_every_method_also_without_values():
    figure = draw_trajectory("p", ["cfg", "sgt"], [0, 1], lambda method, seed: EMPTY if method == "cfg" else TRACE)
    titles = ["cfg, seed 0", "cfg, seed 1", "sgt, seed 0", "sgt, seed 1"]
    assert [axis.get_title() for axis in figure.axes] == titles
    assert "--full-trace" in figure.axes[0].texts[0].get_text()
    assert not figure.axes[2].texts


def test_the_picture_says_what_similarity_is():
    (legend,) = draw_trajectory("p", ["sgt"], [0], lambda method, seed: TRACE).legends
    assert legend.get_title().get_text().startswith("similarity: cosine between")


def test_lines_hold_the_similarities():
    (axis,) = draw_trajectory("p", ["sgt"], [0], lambda method, seed: TRACE).axes
    lines = [list(map(float, line.get_ydata())) for line in axis.get_lines()]  # type: ignore[arg-type]
    assert [line[0] for line in lines] == [0.5, 0.25]
    assert all(line[1] != line[1] for line in lines)  # NaN where not evaluated


def test_open_gates_are_shaded_also_where_they_push_away():
    (axis,) = draw_trajectory("p", ["sgt"], [0], lambda method, seed: TRACE).axes
    assert len(axis.patches) == 2


def test_at_most_four_seeds_are_drawn():
    assert len(draw_trajectory("p", ["sgt"], list(range(9)), lambda method, seed: TRACE).axes) == 4


def test_without_values_the_picture_says_so():
    (axis,) = draw_trajectory("p", ["cfg"], [0], lambda method, seed: EMPTY).axes
    assert "--full-trace" in axis.texts[0].get_text()


def test_a_missing_trace_leaves_its_panel_empty():
    figure = draw_trajectory("p", ["sgt"], [0, 1], lambda method, seed: None if seed else TRACE)
    assert [len(axis.get_lines()) for axis in figure.axes] == [2, 0]


def test_the_figure_is_written_as_png(tmp_path: Path):
    figure = draw_trajectory("costs $1 and $2 \\frac", ["sgt"], [0], lambda method, seed: TRACE)
    write_trajectory(tmp_path / ".x.tmp", figure)
    with Image.open(tmp_path / ".x.tmp") as image:
        assert image.format == "PNG"
