"""What the demo says beside its pictures."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

from semguide.models import default_model, describe
from semguide.models.examples import Example, Examples, read_examples

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "demo.py"
module: Any = runpy.run_path(str(SCRIPT))


def test_the_shares_of_both_methods_are_told_with_the_rule():
    example = Example("a cat and a dog", {"cfg": 3, "sgt-balanced": 12}, 5)
    told = module["shares"](Examples((example,), 16, 12.0, "The rule."), "a cat and a dog")
    assert told == [
        "Of 16 seeds every concept is right in 3 pictures of plain guidance (cfg; 5 at its best scale, 12) and in "
        "12 of sgt-balanced.",
        "Chosen because plain guidance fails on it. The rule.",
    ]


def test_of_a_prompt_of_ones_own_nothing_is_told():
    assert module["shares"](Examples(), "a cat and a dog") == []


def test_the_embedded_checkpoint_has_examples_on_which_plain_guidance_fails():
    found = read_examples(describe(default_model()).path)
    assert len(found.examples) == 4
    assert all(2 * example.right_at_best_scale <= found.seeds for example in found.examples)
