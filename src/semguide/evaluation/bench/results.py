"""Results of a complete folder: table, summary and report."""

from __future__ import annotations

from typing import Any

from semguide.evaluation.bench.folder import REPORT, SUMMARY, BenchFolder
from semguide.evaluation.bench.summary import by_category, summarise
from semguide.evaluation.report import write_report
from semguide.files import write_json


def write_results(folder: BenchFolder) -> dict[str, Any]:
    """Write results.parquet, summary.json and report.html.

    Args:
        folder: A folder in which every image asked for is finished.

    Returns:
        The summary.
    """
    folder.compact()
    bench, rows = folder.bench, folder.selected_rows()
    methods = [method.name for method in bench.methods]
    summary = summarise(bench.suite, bench.model, methods, rows)
    write_json(folder.out / SUMMARY, summary)
    write_report(folder.out / REPORT, summary, by_category(methods, rows), rows)
    return summary
