"""Examples that come with a checkpoint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from semguide.models.examples import FILE, Examples, read_examples
from support.refusals import refuses

GOOD: dict[str, Any] = {
    "chosen": "by a rule",
    "seeds": 16,
    "best_scale": 12.0,
    "examples": [{"prompt": "a cat and a dog", "right": {"cfg": 3, "sgt-balanced": 12}, "right_at_best_scale": 5}],
}


def test_a_folder_without_the_file_has_none(tmp_path: Path):
    assert read_examples(tmp_path) == Examples()


def test_prompts_are_read_with_how_many_pictures_are_right(tmp_path: Path):
    (tmp_path / FILE).write_text(json.dumps(GOOD))
    found = read_examples(tmp_path)
    assert (found.seeds, found.best_scale, found.chosen) == (16, 12.0, "by a rule")
    (example,) = found.examples
    assert (example.prompt, example.right["sgt-balanced"], example.right_at_best_scale) == ("a cat and a dog", 12, 5)


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        ([], "it must have objects, got []"),
        ({**GOOD, "seeds": "16"}, "seeds must be a int, got '16'"),
        ({**GOOD, "best_scale": True}, "best_scale must be a float, got True"),
        ({**GOOD, "examples": ""}, "examples must be a list, got ''"),
        ({**GOOD, "examples": [3]}, "examples must have objects, got 3"),
        ({**GOOD, "examples": [{"prompt": 3, "right": {}, "right_at_best_scale": 0}]}, "prompt must be a str, got 3"),
        (
            {**GOOD, "examples": [{"prompt": "a cat", "right": {"cfg": 17}, "right_at_best_scale": 0}]},
            "cfg must be from 0 to 16, got 17",
        ),
        ({key: value for key, value in GOOD.items() if key != "chosen"}, "chosen must be a str, got nothing"),
    ],
)
def test_a_file_that_says_something_else_is_refused_by_its_name_and_field(tmp_path: Path, broken: Any, problem: str):
    (tmp_path / FILE).write_text(json.dumps(broken))
    with refuses("model.examples", f"({problem})", tmp_path / FILE):
        read_examples(tmp_path)
