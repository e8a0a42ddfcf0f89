"""Rules without concepts in a pipeline: they act on every prompt, at the price of plain guidance."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from diffusers.guiders import AdaptiveProjectedGuidance

from semguide import APG, CFGZeroStar, SemanticGuidance, UnsupportedPipeline, steer
from semguide.adapters.hosts.rules import hosted
from semguide.guidance import METHODS
from support.families.run import ROWS, arguments_of, made, run
from support.refusals import refuses
from support.tiny.calls import CONCEPTS, PROMPT, STEPS, call, noise

W = 4.0


@torch.no_grad()
def by_hand(pipe: Any) -> torch.Tensor:
    """Return the latents of a loop with diffusers' own guider."""
    guider = AdaptiveProjectedGuidance(W, -0.5, 15.0, eta=0.0)
    prompt, negative = pipe.encode_prompt(PROMPT, "cpu", 1, True, "")
    pipe.scheduler.set_timesteps(STEPS)
    side = pipe.unet.config.sample_size
    x = torch.randn((1, pipe.unet.config.in_channels, side, side), generator=noise()) * pipe.scheduler.init_noise_sigma
    for step, time in enumerate(pipe.scheduler.timesteps):
        guider.set_state(step, STEPS, time)
        guider.prepare_inputs({})
        seen = pipe.scheduler.scale_model_input(x, time)
        uncond, cond = (pipe.unet(seen, time, text).sample for text in (negative, prompt))
        x = pipe.scheduler.step(guider.forward(cond, uncond).pred, time, x).prev_sample
    return x


def test_a_loop_by_hand_with_the_guider_of_diffusers_makes_the_same_latents() -> None:
    pipe = made("sd")
    found = call(steer(pipe, APG(W)))
    torch.testing.assert_close(found, by_hand(pipe), rtol=1e-4, atol=1e-4)
    assert (found - call(pipe, guidance_scale=W)).abs().max() > 1e-2


@pytest.mark.parametrize("rule", [APG(W), CFGZeroStar(W)])
@pytest.mark.parametrize("family", ["sd", "sd3"])
def test_concepts_change_nothing_and_cost_nothing(rule: Any, family: str) -> None:
    tuned, arguments = steer(made(family), rule), arguments_of(ROWS[family])
    results = [tuned(PROMPT, concepts=concepts, **{**arguments, "generator": noise()}) for concepts in (CONCEPTS, [])]
    assert torch.equal(results[0].images, results[1].images)
    assert [result.evaluations for result in results] == [[2 * STEPS], [2 * STEPS]]
    assert list(results[0].idle) == [None]
    assert (results[0].images - run(made(family), ROWS[family])).abs().max() > 0


def test_a_full_trace_records_the_concepts_of_the_same_images() -> None:
    tuned = steer(made("sd"), APG(W))
    given = {"num_inference_steps": STEPS, "output_type": "latent", "concepts": CONCEPTS}
    alone = tuned(PROMPT, generator=noise(), **given)
    traced = tuned(PROMPT, generator=noise(), full_trace=True, **given)
    assert torch.equal(alone.images, traced.images)
    assert traced.evaluations == [4 * STEPS]
    assert abs(traced.trace.similarity[0]).max() <= 1


def test_the_first_velocities_of_a_flow_model_are_zeroed() -> None:
    family = ROWS["sd3"]
    start = torch.randn((1, made("sd3").transformer.config.in_channels, 8, 8), generator=noise())
    found = steer(made("sd3"), CFGZeroStar(W, zero_init_steps=STEPS))
    result = found(PROMPT, **{**arguments_of(family), "latents": start, "height": 8, "width": 8})
    torch.testing.assert_close(result.images, start, rtol=1e-5, atol=1e-5)


def test_a_denoiser_that_takes_the_scale_as_an_input_is_refused() -> None:
    with pytest.raises(UnsupportedPipeline, match="apg"):
        run(steer(made("flux-embedded"), APG(W)), ROWS["flux-embedded"])


def test_guiders_and_hosts_which_have_their_own_are_left_without() -> None:
    alone = {name for name in METHODS if not METHODS[name].uses_concepts}
    assert alone == {"apg", "cfg-zero-star", "personalization"}
    assert not alone & set(hosted())
    with refuses("rule", "must be one that uses concepts", "apg"):
        SemanticGuidance(APG())
