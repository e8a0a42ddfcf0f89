"""Ordinary pipelines whose guidance is a guider: HunyuanImage."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from diffusers import ClassifierFreeGuidance

from adapters.guider.run import SCALE, Record, recorded_guider
from adapters.guider.test_families import EAGER
from adapters.tiny_pipelines import CONCEPTS, PROMPT
from adapters.zoo import decoders
from adapters.zoo.run import run
from adapters.zoo.table import FAMILIES
from semguide import SGT, with_semantic_guidance
from semguide.guidance import Predictions, Step

FAMILY = FAMILIES["hunyuan-image"]


@pytest.fixture(scope="module")
def pipe() -> Any:
    made = decoders.hunyuan_image()
    made.guider = made.ocr_guider = ClassifierFreeGuidance(guidance_scale=SCALE)
    return made


def test_concept_scale_zero_is_diffusers_own_guidance_to_the_bit(pipe: Any) -> None:
    tuned = with_semantic_guidance(pipe, SGT(guidance_scale=SCALE, strength=0))
    assert torch.equal(run(tuned, FAMILY, [PROMPT, "a cat"]), run(pipe, FAMILY, [PROMPT, "a cat"]))


def test_pipeline_is_left_as_it_was_and_calls_depend_on_nothing_before(pipe: Any) -> None:
    own, tuned = pipe.guider, with_semantic_guidance(pipe, EAGER)
    first = run(tuned, FAMILY, [PROMPT, "a cat"])
    assert pipe.guider is pipe.ocr_guider is own
    assert tuned.guider.trace.concepts == (tuple(CONCEPTS), ("a cat",))
    assert not torch.equal(run(tuned, FAMILY, [PROMPT, "a cat"], concepts=["a hat"]), first)
    assert torch.equal(run(tuned, FAMILY, [PROMPT, "a cat"]), first)
    with pytest.raises(TypeError):
        run(tuned, FAMILY, PROMPT, no_such_argument=1)
    assert pipe.guider is own


@pytest.mark.slow
def test_steered_predictions_are_those_of_a_loop_by_hand(pipe: Any) -> None:
    doubled = decoders.hunyuan_image().to(torch.float64)
    tuned = with_semantic_guidance(_with(doubled, ClassifierFreeGuidance(guidance_scale=SCALE)), EAGER)
    steered: Record = {"guider": []}
    tuned.guider = recorded_guider(tuned.guider, steered["guider"], None)
    run(tuned, FAMILY, PROMPT)
    alone: list[Any] = []
    for text in (PROMPT, *CONCEPTS):
        seen: list[Any] = []
        guider = recorded_guider(ClassifierFreeGuidance(guidance_scale=SCALE), seen, steered["guider"])
        run(_with(doubled, guider), FAMILY, text)
        alone.append(seen)
    for i, seen in enumerate(steered["guider"]):
        cond, uncond = (alone[0][i].given[branch] for branch in ("pred_cond", "pred_uncond"))
        concepts = torch.cat([alone[1 + k][i].given["pred_cond"] for k in range(2)])
        step = Step(seen.step, seen.count, SCALE)
        correction, _ = EAGER.correct(Predictions(uncond[0], cond[0], concepts), step, None)
        wanted = uncond + SCALE * (cond - uncond) + correction.delta
        torch.testing.assert_close(seen.output.pred, wanted, rtol=1e-6, atol=1e-6)
        assert correction.delta.abs().max() > 1e-3


def _with(pipe: Any, guider: Any) -> Any:
    pipe.guider = pipe.ocr_guider = guider
    return pipe
