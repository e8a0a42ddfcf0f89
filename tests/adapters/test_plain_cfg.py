"""With the concept term at 0, the pipeline's own guidance to the bit."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from semguide import CFG, SGT, Result, SGTv1, SGTv2, steer
from semguide.guidance import Rule
from support.rule_cases import INERT, name_of
from support.tiny.calls import CONCEPTS, PROMPT, STEPS, call, noise

TWO = [PROMPT, "a cat"]
CALLS: dict[str, dict[str, Any]] = {
    "one": {},
    "several images": {"num_images_per_prompt": 2},
    "two prompts": {"prompt": TWO},
    "two prompts, two images": {"prompt": TWO, "num_images_per_prompt": 2, "negative_prompt": ["blurry", ""]},
    "negative": {"negative_prompt": "a green dog"},
    "rescale": {"guidance_rescale": 0.7},
    "generators": {"prompt": TWO, "generator": "each"},
    "image": {"prompt": TWO, "output_type": "np"},
}


def arguments(name: str) -> dict[str, Any]:
    given = dict(CALLS[name])
    if "generator" in given:
        given["generator"] = [noise(1), noise(2)]
    return {"prompt": PROMPT, "guidance_scale": 7.5, **given}


@pytest.mark.parametrize("name", CALLS)
def test_scale_zero_is_the_pipelines_own_guidance(pipe: Any, name: str) -> None:
    expected = call(pipe, **arguments(name))
    for rule in INERT:
        assert (torch.as_tensor(call(steer(pipe, rule), **arguments(name))) == torch.as_tensor(expected)).all(), rule


@pytest.mark.parametrize("rule", INERT, ids=name_of)
@pytest.mark.parametrize("batch_invariant", [True, False])
def test_full_trace_of_an_inert_rule_leaves_every_bit(pipe: Any, rule: Rule[Any], batch_invariant: bool) -> None:
    expected = call(pipe, TWO, guidance_scale=7.5)
    steered = steer(pipe, rule, batch_invariant=batch_invariant)
    result = steered(
        TWO,
        concepts=[CONCEPTS, ["a cat"]],
        full_trace=True,
        num_inference_steps=STEPS,
        generator=noise(),
        output_type="latent",
    )
    assert torch.equal(result.images, expected)
    assert [values.shape for values in result.trace.similarity] == [(STEPS, 2), (STEPS, 1)]
    assert all(abs(values).max() <= 1 for values in result.trace.similarity)
    assert result.evaluations == [STEPS * 4, STEPS * 3]


def test_rule_without_a_step_in_its_window_is_plain_guidance(pipe: Any) -> None:
    assert torch.equal(call(steer(pipe, SGTv1(warmup_steps=STEPS))), call(pipe, guidance_scale=7.5))


def test_guidance_scale_of_the_call_comes_before_that_of_the_rule(pipe: Any) -> None:
    assert torch.equal(call(steer(pipe, CFG(3.0))), call(pipe, guidance_scale=3.0))
    assert torch.equal(call(steer(pipe, CFG(3.0)), guidance_scale=5.0), call(pipe, guidance_scale=5.0))
    assert torch.equal(call(steer(pipe, CFG(3.0)), guidance_scale=None), call(pipe, guidance_scale=3.0))


def test_plain_guidance_costs_two_evaluations_a_step(pipe: Any) -> None:
    result = steer(pipe, CFG())(PROMPT, num_inference_steps=STEPS, generator=noise(), output_type="latent")
    assert isinstance(result, Result)
    assert result.evaluations == [2 * STEPS]
    assert result.trace.concepts == (tuple(CONCEPTS),)
    assert result.output.images is result.images
    assert result.alignment is None


def test_the_early_steps_order_images_where_they_were_evaluated_and_are_no_probability_without_a_fit(pipe: Any) -> None:
    given: dict[str, Any] = {"num_inference_steps": STEPS, "generator": noise(), "output_type": "latent"}
    seen = steer(pipe, CFG())(PROMPT, full_trace=True, **given)
    assert seen.alignment is None
    assert seen.alignment_rank == [1]
    assert 0 < (seen.alignment_score[0] or 0) < 1
    empty = steer(pipe, CFG())(PROMPT, concepts=[], full_trace=True, **given)
    for result in (empty, steer(pipe, CFG())(PROMPT, **given)):
        assert (result.alignment, result.alignment_rank, result.alignment_score) == (None, [None], [None])
        assert result.log_odds == [None]
    for rule in (SGT(), SGTv1(), SGTv2(warmup_steps=0)):
        result = steer(pipe, rule)(PROMPT, **given)
        assert (result.alignment, result.alignment_rank) == (None, [1])
        assert 0 < (result.alignment_score[0] or 0) < 1
