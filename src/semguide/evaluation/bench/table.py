"""results.parquet: one row per image. Imports pyarrow when called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

from semguide.errors import shown
from semguide.evaluation.rows import Row
from semguide.files import atomic

_TEXT = ("id", "suite", "prompt", "category", "split", "model", "method", "parameters_hash", "parameters", "details")
_WHOLE = ("num_inference_steps", "height", "width", "seed", "evaluations")
_REAL = ("guidance_scale", "seconds", "clip_similarity", "clip_weakest", "vqa_score", "blip_vqa")
_QUESTIONS = ("questions_mean", "questions_product")
_LATER = {*_QUESTIONS, "log_odds"}
"""Columns that rows of earlier versions do not have."""
_FEATURES = ("clip_feature", "rendered_feature")
_LOGICAL = ("all_concepts", "position_right")
_PLACE = ("x", "y", "side", "confidence")
_STEPS = ("similarity", "gate", "weight")


def columns() -> list[str]:
    """List the columns."""
    return list(_schema().names)


def row_problem(row: Row) -> str | None:
    """Say what keeps a row from being one of the table: a column that is missing or of another kind; None: nothing."""
    for names, kind, fits in _KINDS:
        for name in names:
            if (name not in row and name not in _LATER) or (name in _NEEDED and row[name] is None):
                return f"it has no {name}"
            if row.get(name) is not None and not fits(row[name]):
                return f"its {name} is no {kind} ({shown(row[name])})"
    judged = row["verdicts"] is not None
    if judged and (len(row["verdicts"]) != len(row["concepts"]) or not row["verdicts"] or None in row["verdicts"]):
        return f"its verdicts are not one for each of its {len(row['concepts'])} concepts"
    if judged and (row["all_concepts"] is None or row["findings"] is None):
        return "it has verdicts without all_concepts and findings"
    uneven = [name for name in _STEPS if row[name] is not None and len(row[name]) != row["num_inference_steps"]]
    return f"its {uneven[0]} is not of {row['num_inference_steps']} steps" if uneven else None


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_whole(value: Any) -> bool:
    return type(value) is int and abs(value) < 2**63


def _is_number(value: Any) -> bool:
    return isinstance(value, float) or (type(value) is int and abs(value) <= 2**53)


def _is_logical(value: Any) -> bool:
    return isinstance(value, bool)


def _list_of(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(part is None or fits(part) for part in cast(list[Any], value))


def _is_finding(value: Any) -> bool:
    found = cast(dict[str, Any], value) if isinstance(value, dict) else {}
    return all(
        name in found and (fits(found[name]) or (found[name] is None and name != "confidence"))
        for names, fits in ((("noun", "colour"), _is_text), (("natural",), _is_logical), (_PLACE, _is_number))
        for name in names
    )


_NEEDED = {"id", "prompt", "category", "method", "parameters_hash", "concepts", "seconds", *_WHOLE}
_KINDS: tuple[tuple[tuple[str, ...], str, Callable[[Any], bool]], ...] = (
    ((*_TEXT, *_FEATURES, "image"), "text", _is_text),
    (_WHOLE, "whole number", _is_whole),
    ((*_REAL, *_QUESTIONS), "number", _is_number),
    (_LOGICAL, "true or false", _is_logical),
    (("concepts",), "list of texts", _list_of(_is_text)),
    (("verdicts",), "list of true and false", _list_of(_is_logical)),
    (("counts",), "list of whole numbers", _list_of(_is_whole)),
    (
        ("findings",),
        "list of findings",
        lambda value: isinstance(value, list) and all(map(_is_finding, cast(list[Any], value))),
    ),
    (("mean_similarity", "abstract", "log_odds"), "list of numbers", _list_of(_is_number)),
    (_STEPS, "list of lists of numbers", _list_of(_list_of(_is_number))),
)


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
        + [(name, pa.float64()) for name in _PLACE]
    )
    fields = [
        *((name, pa.string()) for name in (*_TEXT, *_FEATURES, "image")),
        *((name, pa.int64()) for name in _WHOLE),
        *((name, pa.float64()) for name in (*_REAL, *_QUESTIONS)),
        *((name, pa.bool_()) for name in _LOGICAL),
        ("concepts", pa.list_(pa.string())),
        ("verdicts", pa.list_(pa.bool_())),
        ("counts", pa.list_(pa.int64())),
        ("findings", pa.list_(finding)),
        ("mean_similarity", pa.list_(pa.float64())),
        *((name, pa.list_(pa.list_(pa.float64()))) for name in _STEPS),
        ("abstract", pa.list_(pa.float64())),
        ("log_odds", pa.list_(pa.float64())),
    ]
    return pa.schema(fields)
