"""Wins and losses: the same prompt and seed under two methods, side by side, where one is right and the other wrong."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from semguide.evaluation.rows import Row
from semguide.runs.png import still_png

PER_KIND = 8
"""Pairs shown of each kind."""


@dataclass(frozen=True)
class Decided:
    """Pairs of rows, reference first, that only one of two methods got right.

    Attributes:
        method: The method.
        reference: The method that it is compared with.
        wins: Pairs that the method got right.
        losses: Pairs that the reference got right.
    """

    method: str
    reference: str
    wins: list[tuple[Row, Row]]
    losses: list[tuple[Row, Row]]


def decided(methods: Sequence[str], rows: Sequence[Row]) -> list[Decided]:
    """Find wins and losses of every method against the first."""
    first, *others = methods
    by_key = {(row["method"], row["prompt"], row["seed"]): row for row in rows if row["verdicts"] is not None}
    found: list[Decided] = []
    for name in others:
        pairs = [
            (by_key[first, prompt, seed], row)
            for (method, prompt, seed), row in by_key.items()
            if method == name and (first, prompt, seed) in by_key
        ]
        wins = [pair for pair in pairs if pair[1]["all_concepts"] and not pair[0]["all_concepts"]]
        losses = [pair for pair in pairs if pair[0]["all_concepts"] and not pair[1]["all_concepts"]]
        found.append(Decided(name, first, wins, losses))
    return found


def sheet(out: Path, methods: Sequence[str], rows: Sequence[Row]) -> str:
    """Write the pairs as HTML with the pictures inside (middle frames of videos); counts only where none were kept."""
    parts: list[str] = []
    for found in decided(methods, rows):
        for kind, pairs in (("wins", found.wins), ("losses", found.losses)):
            title = f"{found.method} against {found.reference}: {len(pairs)} {kind}"
            parts.append(f"<h3>{escape(title)}</h3>")
            kept = [pair for pair in pairs if all(row["image"] and (out / row["image"]).is_file() for row in pair)]
            parts.append(f'<div class="pairs">{"".join(_pair(out, pair) for pair in kept[:PER_KIND])}</div>')
    return "\n".join(parts)


def _pair(out: Path, pair: tuple[Row, Row]) -> str:
    pictures = "".join(_picture(out, row) for row in pair)
    return f"<figure>{pictures}<figcaption>{escape(pair[0]['prompt'])}, seed {pair[0]['seed']}</figcaption></figure>"


def _picture(out: Path, row: Row) -> str:
    data = base64.b64encode(still_png(out / row["image"])).decode()
    wrong = [c for c, right in zip(row["concepts"], row["verdicts"], strict=True) if not right]
    missed = "wrong: " + ", ".join(wrong) if wrong else "all right" if row["all_concepts"] else "wrong: position"
    mark = escape(f"{row['method']}, {missed}")
    return f'<div><img src="data:image/png;base64,{data}" alt="{mark}"><small>{mark}</small></div>'
