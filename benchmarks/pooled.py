"""The rows that the tables of several checkpoints share, all their images together: what `table.py` has made.

    python benchmarks/pooled.py --out out/table --split test emoji-unet=benchmarks/table.json:310
                                emoji-flow=benchmarks/table-flow.json:155 [--against "default"] [--figure FILE]

Each checkpoint comes with its settings and `--limit`, and may come twice, with other prompts. Makes no image: rows that
are not complete for all of them are left out. Prints, with intervals over prompts, the share of images with every
concept right, by how much there are fewer failures than in the first row, harm as in `table.py`, and the difference in
right from a row. `--figure` draws right over evaluations for each checkpoint, with all rows that it has.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from table import Bench, Row, prompts_of, share  # beside this file

from semguide.evaluation.statistics import bootstrap
from semguide.files import atomic


@dataclass(frozen=True)
class Pooled:
    """The images of a row, of all checkpoints.

    Attributes:
        right: (prompts, seeds) whether every concept is right.
        evaluations: (prompts, seeds) denoiser evaluations.
        confidence: (prompts, seeds) the judge's mean confidence.
    """

    right: NDArray[np.bool_]
    evaluations: NDArray[np.float64]
    confidence: NDArray[np.float64]


def parts(options: argparse.Namespace) -> list[tuple[str, dict[str, Pooled]]]:
    """Return of each checkpoint, as it was given, its name and its complete rows by name."""
    found: list[tuple[str, dict[str, Pooled]]] = []
    for model, rest in (text.split("=", 1) for text in options.checkpoints):
        settings, limit = rest.rsplit(":", 1)
        rows = [Row(**entry) for entry in json.loads(Path(settings).read_text(encoding="utf-8"))]
        bench = Bench(model, prompts_of(options.suite, options.split, limit), options.seeds, options.out / "pieces")
        made = {row.name: bench.measured(row) for row in rows if bench.complete(row)}
        ours = {name: Pooled(row.right, row.evaluations, row.confidence) for name, row in made.items()}
        found.append((model, ours))
    return found


def together(found: Sequence[dict[str, Pooled]]) -> dict[str, Pooled]:
    """Return the rows that all parts have, by name, in the order of the first one."""
    return {
        name: Pooled(
            np.concatenate([rows[name].right for rows in found]),
            np.concatenate([rows[name].evaluations for rows in found]),
            np.concatenate([rows[name].confidence for rows in found]),
        )
        for name in found[0]
        if all(name in rows for rows in found)
    }


def draw(path: Path, found: Sequence[tuple[str, dict[str, Pooled]]]) -> None:
    """Draw right over evaluations, a panel for each checkpoint; a row has the prompts for which it is complete."""
    from matplotlib.figure import Figure

    models = list(dict.fromkeys(model for model, _ in found))
    names = list(dict.fromkeys(name for _, rows in found for name in rows))
    figure = Figure(figsize=(1 + 5 * len(models), 6), layout="constrained")
    panels = figure.subplots(1, len(models), squeeze=False, sharex=True, sharey=True)[0]
    for axes, model in zip(panels, models, strict=True):
        own = [rows for name, rows in found if name == model]
        for number, name in enumerate(names):
            if not any(name in rows for rows in own):
                continue
            row = together([{name: rows[name]} for rows in own if name in rows])[name]
            right, cost = bootstrap(row.right.mean(axis=1)), row.evaluations.mean()
            bars = [[right.mean - right.low], [right.high - right.mean]]
            look: dict[str, Any] = {"marker": "osD^v"[number // 10 % 5], "color": f"C{number % 10}"}
            axes.errorbar(cost, right.mean, yerr=bars, capsize=3, linestyle="none", label=name, **look)
        axes.set(title=model, xlabel="denoiser evaluations an image")
    panels[0].set(ylabel="share of images with every concept right")
    shown = {name: line for axes in panels for line, name in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(shown.values(), shown.keys(), loc="outside lower center", ncols=4, fontsize=8)
    with atomic(path) as temporary:
        figure.savefig(temporary, format="png", dpi=100)


def fewer(right: NDArray[np.bool_], before: NDArray[np.bool_], resamples: int = 2000) -> list[float]:
    """Return by what part there are fewer failures than before, both (prompts, seeds), with its interval."""
    failures, earlier = (~right).sum(axis=1).astype(np.float64), (~before).sum(axis=1).astype(np.float64)
    drawn = np.random.default_rng(0).integers(len(failures), size=(resamples, len(failures)))
    parts = failures[drawn].sum(axis=1) / np.maximum(earlier[drawn].sum(axis=1), 1.0)
    low, high = np.quantile(1 - parts, [0.025, 0.975])
    return [float(1 - failures.sum() / max(earlier.sum(), 1.0)), float(low), float(high)]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoints", nargs="+", help="NAME=SETTINGS:LIMIT")
    parser.add_argument("--out", type=Path, required=True, help="the folder of table.py")
    parser.add_argument("--suite", default="emoji-pairs")
    parser.add_argument("--split", default="validation", choices=["validation", "test"])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--against", help="the row that others are paired with; default: the first")
    parser.add_argument("--figure", type=Path, help="where to draw right over evaluations")
    options = parser.parse_args()
    found = parts(options)
    rows = together([part for _, part in found])
    if options.figure is not None:
        draw(options.figure, found)
    first = next(iter(rows))
    before, other = rows[first], rows[options.against or first]
    paired = f"difference from {options.against or first}"
    print(f"| | evaluations | right | failures fewer by | harm | confidence | {paired} |")
    print("|---|---|---|---|---|---|---|")
    for name, row in rows.items():
        harm = share(~row.right, before.right) or []
        apart = bootstrap((row.right.astype(np.float64) - other.right).mean(axis=1))
        cells = [
            f"{row.evaluations.mean():.1f}",
            f"{row.right.mean():.3f}",
            "{:.0%} [{:.0%}, {:.0%}]".format(*fewer(row.right, before.right)),
            "{:.3f} [{:.3f}, {:.3f}]".format(*harm) if harm else "",
            f"{(row.confidence - before.confidence).mean():+.3f}",
            f"{apart.mean:+.3f} [{apart.low:+.3f}, {apart.high:+.3f}]",
        ]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
