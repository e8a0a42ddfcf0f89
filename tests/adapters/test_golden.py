"""The published method, exactly: what the authors' own code computed, end to end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from support.fast_attention import fast_attention
from support.float64_tables import float64_tables
from support.golden_cases import deviation, load_case, run_case, similarities

NAMES = [
    *(f"v1-{case}" for case in ("default", "subject-gate", "upper-bound", "abstract-gate", "window", "one-concept")),
    *(f"head-{case}" for case in ("yaml", "subject-only", "abstract-only", "momentum", "window", "one-concept")),
]


@pytest.fixture(scope="module")
def pipe(golden: Path) -> Any:
    from diffusers import StableDiffusionPipeline

    loaded = StableDiffusionPipeline.from_pretrained(golden / "tiny-sd").to(torch.float64)
    loaded.set_progress_bar_config(disable=True)
    return loaded


@pytest.mark.parametrize("name", NAMES)
def test_published_rules_reproduce_the_authors_values(golden: Path, pipe: Any, name: str) -> None:
    case = load_case(golden, name)
    with fast_attention(), float64_tables(pipe):
        result, predictions = run_case(pipe, case, torch.float64)
    assert np.abs(similarities(case, result.trace) - case.values["similarities"]).max() < 1e-9
    assert deviation(predictions[0], case.values["eps_step0"]) < 1e-9
    assert deviation(predictions[-1], case.values["eps_last"]) < 1e-9
    assert deviation(result.images, case.values["final_latents"]) < 1e-9
    assert result.evaluations == [case.steps * (2 + len(case.subjects))]
