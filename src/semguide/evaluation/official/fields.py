"""What the entries of prompt files become."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

from semguide.concepts import decompose
from semguide.evaluation.suites import Question, SuitePrompt

_NUMBER = re.compile(r"[\W\d_]+$")


def decomposed(
    text: str, category: str, ids: tuple[str, ...] = (), questions: tuple[Question, ...] = ()
) -> SuitePrompt:
    """Return a prompt whose concepts are its noun phrases."""
    prompt = text.strip()
    return SuitePrompt(prompt, category, tuple(decompose(prompt)), ids=ids, questions=questions)


def table_rows(text: str, columns: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """Yield the rows of a table of comma-separated values, blank lines left out.

    Raises:
        ValueError: A row lacks one of these columns, or has more cells than there are columns.
    """
    reader = csv.DictReader(text.splitlines(keepends=True))
    for row in reader:
        short = next((column for column in columns if not isinstance(row.get(column), str)), None)
        if short is not None:
            raise ValueError(f"line {reader.line_num}: {short} is missing")
        if None in row:  # what DictReader calls the cells that are too many
            raise ValueError(f"line {reader.line_num}: it has more cells than columns; put texts with commas in quotes")
        yield row


def source_of(identifier: str, otherwise: str) -> str:
    """Return an id without the number at its end: "drawbench" of "drawbench_52".

    Args:
        identifier: The id.
        otherwise: For an id that is a number.
    """
    return _NUMBER.sub("", identifier) or otherwise
