"""results.parquet: one row per image. Imports pyarrow when called."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from semguide.evaluation.rows import Row
from semguide.files import atomic

_TEXT = ("id", "suite", "prompt", "category", "split", "model", "method", "parameters_hash", "parameters", "details")
_WHOLE = ("num_inference_steps", "height", "width", "seed", "evaluations")
_REAL = ("guidance_scale", "seconds", "clip_similarity", "clip_weakest", "vqa_score", "blip_vqa")
_FEATURES = ("clip_feature", "rendered_feature")
_LOGICAL = ("all_concepts", "position_right")
_STEPS = ("similarity", "gate", "weight")


def columns() -> list[str]:
    """List the columns."""
    return list(_schema().names)


def write_table(path: Path, rows: Sequence[Row]) -> None:
    """Write rows as a Parquet file, whole or not at all."""
    arrow, parquet = _libraries()
    with atomic(path) as temporary:
        parquet.write_table(arrow.Table.from_pylist(list(rows), schema=_schema()), temporary, compression="zstd")


def read_table(path: Path) -> list[Row]:
    """Read what `write_table` wrote."""
    return _libraries()[1].read_table(path).to_pylist()


def _libraries() -> tuple[Any, Any]:
    """Return pyarrow and pyarrow.parquet."""
    import pyarrow as pa  # pyright: ignore[reportMissingTypeStubs]
    import pyarrow.parquet as pq  # pyright: ignore[reportMissingTypeStubs]

    return pa, pq


def _schema() -> Any:
    pa = _libraries()[0]
    finding = pa.struct(
        [("noun", pa.string()), ("colour", pa.string()), ("natural", pa.bool_())]
        + [(name, pa.float64()) for name in ("x", "y", "side", "confidence")]
    )
    fields = [
        *((name, pa.string()) for name in (*_TEXT, *_FEATURES, "image")),
        *((name, pa.int64()) for name in _WHOLE),
        *((name, pa.float64()) for name in _REAL),
        *((name, pa.bool_()) for name in _LOGICAL),
        ("concepts", pa.list_(pa.string())),
        ("verdicts", pa.list_(pa.bool_())),
        ("counts", pa.list_(pa.int64())),
        ("findings", pa.list_(finding)),
        ("mean_similarity", pa.list_(pa.float64())),
        *((name, pa.list_(pa.list_(pa.float64()))) for name in _STEPS),
        ("abstract", pa.list_(pa.float64())),
    ]
    return pa.schema(fields)
