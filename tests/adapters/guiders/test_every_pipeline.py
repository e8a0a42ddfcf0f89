"""The whole folder: the guider in every modular pipeline that takes one."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

from semguide import SGT, SGTv2, with_semantic_guidance
from support.guiders.by_hand import expected
from support.guiders.run import SCALE, call, doubled, made, recorded
from support.guiders.table import ROWS, STEPS
from support.tiny.calls import CONCEPTS, PROMPT

EAGER = SGT(guidance_scale=SCALE, stop=1.0)
REMEMBERING = SGTv2(
    guidance_scale=SCALE,
    concept_guidance_scale=2.0,
    subject_threshold=1.0,
    abstract_threshold=0.0,
    subject_percentile=0.0,
    warmup_steps=0,
)

pytestmark = pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")  # Wan-Animate 2

rows = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if row.slow else []) for name, row in ROWS.items()]
)


def asked(name: str) -> tuple[Any, list[list[str]], dict[str, Any]]:
    """Return prompts, their concepts and negative prompts: two of each where the pipeline takes two."""
    if ROWS[name].single:
        return PROMPT, [CONCEPTS], {"negative_prompt": "blurry"}
    negative = {"negative_prompt": ["blurry", "a green dog"]} if ROWS[name].negative else {}
    return [PROMPT, "a cat"], [CONCEPTS, ["a cat"]], negative


@rows
def test_concept_scale_zero_is_diffusers_own_guidance_to_the_bit(name: str) -> None:
    pipe = made(name)
    prompts, _, given = asked(name)
    tuned = with_semantic_guidance(pipe, SGT(guidance_scale=SCALE, strength=0))
    plain = call(name, pipe, prompts, **given)
    assert plain.isfinite().all()
    assert torch.equal(call(name, tuned, prompts, **given), plain)
    assert tuned.guider.trace is None


@pytest.mark.filterwarnings("ignore:Mismatch dtype between input and weight")  # Krea 2 normalises in float32
@rows
def test_steered_predictions_are_those_of_a_loop_by_hand(name: str) -> None:
    plain = doubled(name)
    prompts, concepts, given = asked(name)
    tuned, record = recorded(with_semantic_guidance(plain, REMEMBERING))
    call(name, tuned, prompts, **given)
    wanted = expected(name, plain, REMEMBERING, record, prompts, concepts, **given)
    for part, predictions in wanted.items():
        pairs = list(zip(record[part], predictions, strict=True))
        for seen, prediction in pairs:
            assert (seen.output.pred - prediction).abs().max() < 1e-6 * prediction.abs().max()
        last, prediction = pairs[-1]
        cond, uncond = last.given["pred_cond"], last.given["pred_uncond"]
        assert (prediction - uncond - SCALE * (cond - uncond)).abs().max() > 1e-3 * prediction.abs().max()


@rows
def test_calls_depend_on_nothing_that_was_before(name: str) -> None:
    prompts, _, given = asked(name)
    tuned = with_semantic_guidance(made(name), EAGER)
    first = call(name, tuned, prompts, **given)
    texts = tuned.guider.trace.concepts
    more = call(name, tuned, prompts, concepts=[*CONCEPTS, "a hat"], **given)
    assert {len(names) for names in tuned.guider.trace.concepts} == {3}
    fewer = call(name, tuned, prompts, concepts=["a hat"], **given)
    again = call(name, tuned, prompts, **given)
    assert torch.equal(first, again)
    assert tuned.guider.trace.concepts == texts
    assert not torch.equal(first, more)
    assert not torch.equal(first, fewer)
    assert not torch.equal(first, call(name, made(name), prompts, **given))


@rows
def test_guidance_may_stop_early_twice(name: str) -> None:
    prompts, _, given = asked(name)
    tuned = copy.copy(with_semantic_guidance(made(name), EAGER))
    for part in ("guider", "guider_2"):
        if hasattr(tuned, part):
            setattr(tuned, part, getattr(tuned, part).new(stop=2 / STEPS))
    first = call(name, tuned, prompts, **given)
    assert torch.equal(call(name, tuned, prompts, **given), first)
    assert not torch.equal(call(name, with_semantic_guidance(made(name), EAGER), prompts, **given), first)
