"""The same prompt and seed under every method, as pictures inside the page."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape
from pathlib import Path

from semguide.evaluation.rows import Row
from semguide.evaluation.suites import stable_hash
from semguide.runs.png import read_png

PROMPTS = 12
"""Most prompts shown: the first by a hash, a fair choice."""
_SIDE = 256
"""Pixels of a picture's longer side; the page is one file."""


def side_by_side(out: Path, methods: Sequence[str], rows: Sequence[Row]) -> str:
    """Write a row of pictures for each of some prompts, the first seed under each method; a video's middle frame.

    Args:
        out: The folder that the rows' images are relative to.
        methods: The methods, in their order.
        rows: Their rows.
    """
    seed = min((row["seed"] for row in rows), default=0)
    kept = {(row["prompt"], row["method"]): row for row in rows if row["seed"] == seed and row["image"]}
    prompts = [p for p in dict.fromkeys(row["prompt"] for row in rows) if all((p, m) in kept for m in methods)]
    chosen = sorted(prompts, key=lambda prompt: stable_hash(f"shown {prompt}"))[:PROMPTS]
    return "\n".join(_row(out, prompt, seed, [kept[prompt, method] for method in methods]) for prompt in chosen)


def _row(out: Path, prompt: str, seed: int, rows: Sequence[Row]) -> str:
    cells = "".join(f"<div>{_picture(out / row['image'], row['method'])}</div>" for row in rows)
    columns = f"grid-template-columns: repeat({len(rows)}, minmax(0, 1fr))"
    caption = f'<figcaption style="grid-column: 1 / -1">{escape(prompt)}, seed {seed}</figcaption>'
    return f'<figure style="{columns}">{cells}{caption}</figure>'


def _picture(file: Path, method: str) -> str:
    written = io.BytesIO()
    small = read_png(file)[0].convert("RGB")
    small.thumbnail((_SIDE, _SIDE))
    small.save(written, format="JPEG", quality=85)
    data = base64.b64encode(written.getvalue()).decode()
    return f'<img src="data:image/jpeg;base64,{data}" alt="{escape(method)}"><small>{escape(method)}</small>'
