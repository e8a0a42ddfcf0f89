import json
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from semguide.evaluation.second_looks import look_at_images


@pytest.mark.parametrize("row", [{"id": "b"}, *({"id": "b", "seen": seen} for seen in ("x", [1], {}))])
def test_a_foreign_row_of_what_was_seen_is_named_and_skipped(tmp_path: Path, row: dict[str, Any]):
    place = tmp_path / "verdicts"
    place.mkdir()
    rows = [{"id": "a", "seen": [True, None]}, row, {"id": "c", "seen": 0.5}, {"id": "d", "seen": None}]
    (place / "all.jsonl").write_text("".join(f"{json.dumps(each)}\n" for each in rows))
    folder: Any = SimpleNamespace(out=tmp_path, selected_rows=list)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = look_at_images(folder, "verdicts", lambda: pytest.fail("nothing is missing"), lambda: None)
    assert found == {"a": [True, None], "c": 0.5, "d": None}
    assert [f"{place / 'all.jsonl'} line 2 is no row" in str(each.message) for each in caught] == [True]
