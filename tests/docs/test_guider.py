"""The snippets of docs/guider.md run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from semguide import SemanticGuidance
from support.guiders.run import made

PAGE = Path(__file__).parents[2] / "docs" / "guider.md"


def test_snippets_of_the_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pipe = made("sd3")
    defaults = {"height": 8, "width": 8, "max_sequence_length": 48, "num_inference_steps": 2}
    call = type(pipe).__call__
    monkeypatch.setattr(type(pipe), "__call__", lambda self, **given: call(self, **{**defaults, **given}))
    names: dict[str, Any] = {"pipe": pipe}
    for snippet in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        exec(snippet, names)
    assert len(names["images"]) == 1
    assert isinstance(names["again"].guider, SemanticGuidance)
    assert names["same"].rule == names["again"].guider.rule == names["tuned"].guider.rule
    assert isinstance(names["pipeline"].guider, SemanticGuidance)
