"""The table of families has no row that is not tested, and says why it has no other."""

from __future__ import annotations

from typing import Any

import pytest

from semguide import UnsupportedPipeline, steer
from semguide.adapters.pipelines.families.registry import ARCHITECTURES, REASONS
from support.families.rows import ACTIVE
from support.families.run import ROWS, made
from support.families.table import FEW_STEPS


@pytest.mark.slow
def test_every_pipeline_of_the_table_has_a_tiny_one() -> None:
    assert {type(made(name)).__name__ for name in ROWS} | {row.pipeline for row in FEW_STEPS.values()} == set(
        ARCHITECTURES
    )


@pytest.mark.parametrize("name", REASONS)
def test_refused_pipelines_say_why(name: str) -> None:
    import diffusers

    if not hasattr(diffusers, name):
        pytest.skip(f"no {name} in diffusers {diffusers.__version__}")
    pipe: Any = object.__new__(getattr(diffusers, name))
    with pytest.raises(UnsupportedPipeline) as refusal:
        steer(pipe, ACTIVE)
    assert str(refusal.value) == f"pipe is a {name}, which {REASONS[name]}"
