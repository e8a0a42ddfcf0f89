"""report.html: the results of a benchmark in one file that opens offline."""

from semguide.evaluation.report.page import write_report

__all__ = ["write_report"]
