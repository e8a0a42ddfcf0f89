"""The docs' table of what users measured."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "user_results.py"
MARKS = "<!-- users: begin (scripts/user_results.py) -->\nold\n<!-- users: end -->"


def fill(folder: Path, page: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), str(folder), "--page", str(page)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def comparison() -> dict:
    score = {"mean": 0.31, "ci95": [0.3, 0.32]}
    method = {"steps": 35, "evaluations_per_image": 70.0, "metrics": {"clip_similarity": score}}
    return {
        "format": "semguide-compare",
        "version": 1,
        "model": {"name": "a|b", "fingerprint": "sha256:0123456789", "dtype": "bfloat16"},
        "device": "A GPU",
        "suite": {"name": "two-objects", "prompts": 50, "seeds": 2},
        "methods": {"cfg": method, "sgt": {**method, "metrics": {}}},
    }


def test_the_table_is_empty_and_says_so_where_nothing_was_sent_in(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(f"before\n{MARKS}\nafter\n")
    assert fill(tmp_path, tmp_path / "page.md").returncode == 0
    text = (tmp_path / "page.md").read_text()
    assert "None yet" in text
    assert "old" not in text
    assert (text.startswith("before\n"), text.endswith("\nafter\n")) == (True, True)


def test_the_page_has_the_table_as_it_is_without_files(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "score.md").read_text(encoding="utf-8")
    (tmp_path / "page.md").write_text(text, encoding="utf-8")
    assert fill(tmp_path, tmp_path / "page.md").returncode == 0
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == text


def test_each_method_of_each_file_has_a_row(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(MARKS)
    (tmp_path / "one.json").write_text(json.dumps(comparison()))
    assert fill(tmp_path, tmp_path / "page.md").returncode == 0
    rows = [line for line in (tmp_path / "page.md").read_text().splitlines() if line.startswith("|")]
    assert len(rows) == 2 + 2
    assert "a/b (01234567), bfloat16 | A GPU | 50 of two-objects, 2 | `cfg` | 35 | 70 | 0.310 [0.300, 0.320]" in rows[2]


def test_another_file_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(MARKS)
    (tmp_path / "other.json").write_text("{}")
    done = fill(tmp_path, tmp_path / "page.md")
    assert done.returncode == 1
    assert "other.json must be a compare.json" in done.stderr
