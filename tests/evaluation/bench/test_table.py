import json
from pathlib import Path
from typing import Any

import pytest

from semguide.evaluation.bench.table import columns, read_table, row_problem, write_table

FINDING = {"noun": "cat", "colour": None, "natural": True, "x": 0.1, "y": 0.2, "side": 0.3, "confidence": 0.9}
ROW: dict[str, Any] = {
    **dict.fromkeys(columns()),
    **{"id": "a", "prompt": "a cat", "category": "one", "method": "cfg", "parameters_hash": "0", "concepts": ["a cat"]},
    **{"num_inference_steps": 1, "height": 64, "width": 64, "seed": 0, "evaluations": 2, "seconds": 0.5},
    **{"verdicts": [True], "all_concepts": True, "findings": [FINDING], "similarity": [[0.5]], "gate": [None]},
}


def test_a_row_of_a_bench_has_no_problem_and_comes_back_from_the_table(tmp_path: Path):
    assert row_problem(ROW) is None
    write_table(tmp_path / "t.parquet", [ROW])
    assert read_table(tmp_path / "t.parquet") == [ROW]


def test_rows_of_the_first_version_have_no_problem():
    for file in (Path(__file__).parents[2] / "data" / "0.1.0" / "bench" / "rows").glob("*.jsonl"):
        assert [row_problem(json.loads(line)) for line in file.read_text().splitlines()] == [None] * 4


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"prompt": None}, "it has no prompt"),
        ({"seed": "0"}, "its seed is no whole number"),
        ({"seed": True}, "its seed is no whole number"),
        ({"seconds": "fast"}, "its seconds is no number"),
        ({"clip_similarity": 2**60}, "its clip_similarity is no number"),
        ({"concepts": [1]}, "its concepts is no list of texts"),
        ({"findings": [{"noun": "cat"}]}, "its findings is no list of findings"),
        ({"verdicts": []}, "its verdicts are not one for each of its 1 concepts"),
        ({"verdicts": [None]}, "its verdicts are not one for each of its 1 concepts"),
        ({"all_concepts": None}, "it has verdicts without all_concepts and findings"),
        ({"similarity": [[0.5], [0.5]]}, "its similarity is not of 1 steps"),
    ],
)
def test_a_row_that_no_bench_wrote_is_told_by_what_is_wrong_with_it(change: dict[str, Any], problem: str):
    assert (row_problem({**ROW, **change}) or "").startswith(problem)


def test_a_column_that_is_missing_is_named():
    assert row_problem({name: value for name, value in ROW.items() if name != "gate"}) == "it has no gate"
