"""The trace: JSON and plot."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
from matplotlib import _pylab_helpers

from semguide.guidance import Trace

NAN = math.nan
TRACE = Trace(
    "sgt-v1",
    concepts=(("a red book", "a $5 vase"), ()),
    similarity=(np.array([[0.1, 0.2], [0.3, 0.4], [NAN, NAN]]), np.empty((3, 0))),
    gate=(np.array([[1.0, 0.0], [-1.0, 0.5], [NAN, NAN]]), np.empty((3, 0))),
    weight=(np.array([[7.5, 0.0], [-7.5, 3.75], [NAN, NAN]]), np.empty((3, 0))),
    abstract=(np.array([0.9, 0.8, NAN]), None),
)


def test_json_writes_none_where_nothing_was_evaluated() -> None:
    first, second = json.loads(TRACE.to_json())["images"]
    assert first["concepts"] == ["a red book", "a $5 vase"]
    assert first["similarity"] == [[0.1, 0.2], [0.3, 0.4], [None, None]]
    assert first["abstract"] == [0.9, 0.8, None]
    empty = {name: [[], [], []] for name in ("similarity", "gate", "weight")}
    assert second == {"concepts": [], **empty, "abstract": None}


def test_plot_draws_similarities_and_shades_open_gates() -> None:
    figure = TRACE.plot()
    first, second = figure.axes
    assert [line.get_label() for line in first.lines] == ["a red book", r"a \$5 vase"]
    np.testing.assert_array_equal(np.asarray(first.lines[0].get_ydata()), TRACE.similarity[0][:, 0])
    spans = [(patch.get_x(), patch.get_alpha()) for patch in first.patches]  # type: ignore[attr-defined]
    assert spans == [(-0.5, 0.15), (0.5, 0.15), (0.5, 0.075)]
    assert not second.lines


def test_plot_writes_a_picture_and_leaves_no_figure_open(tmp_path: Path) -> None:
    TRACE.plot(tmp_path / "trace.png")
    assert (tmp_path / "trace.png").read_bytes().startswith(b"\x89PNG")
    assert not _pylab_helpers.Gcf.figs
