"""The page: tables with intervals, figures, wins and losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, cast

from semguide.evaluation.report.figures import quality_cost, trajectories
from semguide.evaluation.report.sheet import sheet
from semguide.evaluation.rows import Row
from semguide.files import write_text
from semguide.runs.ownership import begins_with

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2228; --page: #fdfdfc; --line: #d5d9de; --soft: #5b6570; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8ea; --page: #16191d; --line: #3a4149; --soft: #9aa4ae; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); max-width: 62rem;
  margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .8rem; border-bottom: 1px solid var(--line); text-align: right; }
th:first-child, td:first-child { text-align: left; }
.scroll { overflow-x: auto; } svg { max-width: 100%; height: auto; }
p.note, small, figcaption { color: var(--soft); }
.pairs { display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: 1rem; }
figure { margin: 0; display: grid; grid-template-columns: 1fr 1fr; gap: .3rem; }
figcaption { grid-column: 1 / 3; } img { width: 100%; image-rendering: auto; } small { display: block; }
"""

_DISTANCE_NOTE = """<p class="note">Differences are from the first method, paired by prompt. Diversity: mean of
1 - cosine of CLIP image features between the seeds of a prompt. Rendered distance: Fréchet distance of the CLIP image
features of all images to those of rendered scenes of the same prompts; a number of the whole set, so without an
interval, and it falls as the set grows.</p>"""


MARK = '<meta name="generator" content="semguide">'
"""What a report is known by."""
_NOTE = '<p class="note">Means over prompts with 95 % bootstrap intervals; differences are paired by prompt.</p>'
is_report = begins_with(MARK.encode(), _NOTE.encode(), within=8192)
"""Whether a file is a report; those of earlier versions are known by their first paragraph."""


def write_report(
    path: Path,
    summary: Mapping[str, Any],
    categories: Mapping[str, Mapping[str, Any]],
    rows: Sequence[Row],
    more: Sequence[tuple[str, str]] = (),
) -> None:
    """Write the report, whole or not at all.

    Args:
        path: The file; kept pictures are looked for beside it.
        summary: The content of summary.json.
        categories: Category -> method -> estimate of the share of images with everything right.
        rows: The rows that were summed up.
        more: Titles and contents, as HTML, of further sections at the end.
    """
    methods = list(summary["methods"])
    judged = any(found["all_concepts"]["mean"] is not None for found in summary["methods"].values())
    title = f"{summary['suite']} with {summary['model']}"
    body = [
        f"<h1>{escape(title)}</h1>",
        _NOTE,
        _section("Methods", _methods(summary["methods"])),
        _section("Differences in images with all concepts right", _paired(summary["paired"]) if judged else ""),
        _section("Similarity, answers, diversity, image quality", _metrics(summary)),
        _section("By category: all concepts right", _categories(methods, categories) if judged else ""),
        _section("Quality and cost", quality_cost(summary["methods"]) or "<p>Nothing was judged.</p>"),
        _section(
            "Trajectories", trajectories(methods, rows) or "<p>No concept was evaluated; --full-trace does so.</p>"
        ),
        _section("Wins and losses", _sheet(path.parent, methods, rows) if judged else ""),
        *(_section(name, content) for name, content in more),
    ]
    head = (
        f'<meta charset="utf-8">{MARK}<meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style>"
    )
    write_text(
        path, f'<!doctype html>\n<html lang="en"><head>{head}</head><body>\n' + "\n".join(body) + "\n</body></html>\n"
    )


def _section(title: str, content: str) -> str:
    return f"<h2>{escape(title)}</h2>\n{content}" if content else ""


def _sheet(out: Path, methods: Sequence[str], rows: Sequence[Row]) -> str:
    if len(methods) < 2:
        return ""
    note = "" if any(row["image"] for row in rows) else '<p class="note">Pictures are shown with --keep-images.</p>'
    return note + sheet(out, methods, rows)


def _methods(methods: Mapping[str, Mapping[str, Any]]) -> str:
    head = ("method", "all concepts", "per concept", "evaluations / image", "seconds / image", "images")
    rows = [
        (
            name,
            interval(found["all_concepts"]),
            interval(found["per_concept"]),
            _number(found["evaluations_per_image"], 1),
            _number(found["seconds_per_image"], 2),
            str(found["images"]),
        )
        for name, found in methods.items()
    ]
    return _table(head, rows)


def _paired(paired: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [
        (name, interval({"mean": found["delta"], "ci95": found["ci95"]}), _number(found["p"], 4))
        for name, found in paired.items()
    ]
    return _table(("pair", "difference", "p"), rows) if rows else ""


def _metrics(summary: Mapping[str, Any]) -> str:
    head, rows = metrics_rows(summary)
    return _table(head, rows) + _DISTANCE_NOTE if rows else ""


def metrics_rows(summary: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Tabulate the metrics that were measured: one row a method, and one for its difference from the first.

    Args:
        summary: The content of summary.json.

    Returns:
        Head and rows; no rows where nothing was measured.
    """
    methods, pairs = summary["methods"], summary["paired"]
    names = list(dict.fromkeys(name for found in methods.values() for name in found["metrics"]))
    if not names:
        return [], []
    rows = [[method, *(_metric(found["metrics"].get(name)) for name in names)] for method, found in methods.items()]
    rows += [[pair, *(_metric(found["metrics"].get(name)) for name in names)] for pair, found in pairs.items()]
    return ["method", *(name.replace("_", " ") for name in names)], rows


def _metric(found: Any) -> str:
    """Write an estimate, a difference, or a number without an interval."""
    if found is None:
        return ""
    if isinstance(found, float):
        return f"{found:.4f}"
    known = cast(dict[str, Any], found)
    mean = known.get("mean", known.get("delta"))
    if "ci95" not in known:
        return f"{mean:.4f}"
    return interval({"mean": mean, "ci95": known["ci95"]})


def _categories(methods: Sequence[str], categories: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [(name, *(interval(found[method]) for method in methods)) for name, found in categories.items()]
    return _table(("category", *methods), rows)


def interval(found: Mapping[str, Any]) -> str:
    """Write an estimate as "0.512 [0.480, 0.544]", "not judged" where there is none."""
    if found["mean"] is None:
        return "not judged"
    low, high = found["ci95"]
    return f"{found['mean']:.3f} [{low:.3f}, {high:.3f}]"


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def line(cells: Sequence[str], tag: str) -> str:
        return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"

    body = "\n".join(line(row, "td") for row in rows)
    return f'<div class="scroll"><table><thead>{line(head, "th")}</thead>\n<tbody>{body}</tbody></table></div>'
