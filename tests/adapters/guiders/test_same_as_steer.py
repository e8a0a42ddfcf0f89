"""The whole folder: a guider makes what `steer` makes of the ordinary pipeline with the same parts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from semguide import SGT, SGTv2, steer, with_semantic_guidance
from support.families.run import ROWS, SCALE, STEPS, run
from support.guiders.run import assembled
from support.guiders.table import ROWS as MODULAR
from support.tiny.calls import CONCEPTS, PROMPT, noise

NEGATIVE = "blurry"
BOTH = [name for name in MODULAR if name in ROWS]


def rule(scale: float) -> SGTv2:
    """Return a rule whose gates are open."""
    return SGTv2(
        scale,
        concept_guidance_scale=2.0,
        subject_threshold=1.0,
        abstract_threshold=1.0,
        subject_percentile=0.5,
        warmup_steps=0,
    )


def guidances(scheduler: Any, monkeypatch: pytest.MonkeyPatch) -> list[Tensor]:
    """Return the list that will hold the guided prediction of each step."""
    found: list[Tensor] = []
    step = scheduler.step

    def watched(prediction: Tensor, *args: Any, **kwargs: Any) -> Any:
        found.append(prediction.clone())
        return step(prediction, *args, **kwargs)

    monkeypatch.setattr(scheduler, "step", watched)
    return found


@pytest.mark.parametrize("name", BOTH)
def test_guider_equals_steer(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    family, row = ROWS[name], MODULAR[name]
    pipe: Any = family.make().to(torch.float64)
    w = SCALE + 1 - family.off  # the modular pipelines all compute u + w (c - u)
    modular = assembled(name, pipe.components)
    found = guidances(pipe.scheduler, monkeypatch)
    size = {"height": 64, "width": 64} if name == "sdxl" else {}
    given = {**family.arguments, **size, "negative_prompt": NEGATIVE, "num_inference_steps": STEPS}
    with_semantic_guidance(modular, rule(w))(
        prompt=PROMPT, concepts=CONCEPTS, generator=noise(), output=row.output, **given
    )
    run(steer(pipe, rule(w)), family, concepts=CONCEPTS, negative_prompt=NEGATIVE)
    run(pipe, family, negative_prompt=NEGATIVE)
    assert len(found) == 3 * STEPS
    for guided, steered, plain in zip(
        found[1:STEPS], found[STEPS + 1 : 2 * STEPS], found[2 * STEPS + 1 :], strict=True
    ):
        assert (guided - steered).abs().max() < 1e-5 * (steered - plain).abs().max()


@pytest.mark.parametrize("name", [name for name in BOTH if name != "qwen-image"])  # which always norms, modular
def test_guider_equals_steer_without_guidance(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    family, row = ROWS[name], MODULAR[name]
    pipe: Any = family.make().to(torch.float64)
    modular = assembled(name, pipe.components)
    found = guidances(pipe.scheduler, monkeypatch)
    size = {"height": 64, "width": 64} if name == "sdxl" else {}
    arguments = {key: value for key, value in family.arguments.items() if key != "negative_prompt"}
    given = {**arguments, **size, "num_inference_steps": STEPS}
    with_semantic_guidance(modular, SGT(1.0))(
        prompt=PROMPT, concepts=CONCEPTS, generator=noise(), output=row.output, **given
    )
    off = replace(family, arguments={**arguments, family.scale: family.off}, scale="")
    run(steer(pipe, SGT()), off, concepts=CONCEPTS)
    run(pipe, off)
    assert len(found) == 3 * STEPS
    guided, steered, plain = found[0], found[STEPS], found[2 * STEPS]
    assert (guided - steered).abs().max() < 1e-5 * (steered - plain).abs().max()
