"""Calls with a budget of denoiser evaluations in the place of a number of steps."""

from __future__ import annotations

from typing import Any

import diffusers
import pytest
import torch

from semguide import CFG, BalancedSGT, SemguideWarning, SGTv1, steer
from semguide.adapters.pipelines.budget import scheduler_steps
from support.refusals import refuses
from support.tiny.calls import CONCEPTS, PROMPT, fresh, noise


def made(pipe: Any, rule: Any, prompt: Any = PROMPT, **arguments: Any) -> Any:
    return steer(pipe, rule)(prompt, generator=noise(), output_type="latent", **arguments)


@pytest.mark.parametrize("rule", [CFG(), BalancedSGT(), SGTv1()], ids=lambda rule: rule.name)
def test_an_image_spends_what_fits_and_equals_that_of_as_many_steps(sd: Any, rule: Any):
    result = made(sd, rule, evaluations=53)
    steps = len(sd.scheduler.timesteps)
    assert 53 - (4 if rule.uses_concepts else 2) < result.evaluations[0] <= 53
    assert (made(sd, rule, num_inference_steps=steps).images == result.images).all()


def test_plain_is_twice_the_pipelines_own_steps(sd: Any):
    assert made(sd, CFG(), evaluations="plain").evaluations == [100]


def test_several_prompts_take_the_same_steps_and_the_dearest_fits(sd: Any):
    result = steer(sd, SGTv1())(
        [PROMPT, "a cat"],
        concepts=[CONCEPTS, ["a cat"]],
        evaluations=50,
        generator=[noise(), noise(1)],
        output_type="latent",
    )
    assert result.evaluations == [48, 36]


def test_concepts_that_do_not_fit_are_left_out_and_named(sd: Any):
    with pytest.warns(SemguideWarning, match="without 'a dog'"):
        result = made(sd, SGTv1(), "a cat, a cow and a dog", concepts=["a cat", "a cow", "a dog"], evaluations=48)
    assert result.trace.concepts == (("a cat", "a cow"),)
    assert result.evaluations == [48]


def test_whatever_says_how_many_steps_there_are_is_refused_beside_a_budget(sd: Any):
    for other in ({"num_inference_steps": 5}, {"timesteps": [900, 500]}, {"sigmas": [1.0, 0.5]}):
        with refuses("evaluations", "must not stand beside"):
            made(sd, CFG(), evaluations=50, **other)


@pytest.mark.parametrize("strength", [0.3, 0.5, 0.8])
def test_a_call_that_begins_with_an_image_spends_its_budget_on_the_steps_that_it_takes(sd: Any, strength: float):
    pipe = diffusers.StableDiffusionImg2ImgPipeline(**fresh(sd).components, requires_safety_checker=False)
    pipe.set_progress_bar_config(disable=True)
    image = torch.zeros(1, 3, 64, 64)
    (spent,) = made(pipe, CFG(), image=image, strength=strength, evaluations=40).evaluations
    assert 36 < spent <= 40


@pytest.mark.parametrize("name", ["DDIMScheduler", "HeunDiscreteScheduler", "PNDMScheduler"])
def test_a_budget_holds_whatever_the_scheduler_makes_of_the_steps(sd: Any, name: str):
    pipe = fresh(sd)
    pipe.scheduler = getattr(diffusers, name).from_config(sd.scheduler.config)
    (spent,) = made(pipe, CFG(), evaluations=40).evaluations
    assert 36 < spent <= 40


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("PNDMScheduler", {}),
        ("PNDMScheduler", {"skip_prk_steps": True}),
        *(
            (f"{name}Scheduler", {})
            for name in (
                "DDIM",
                "EulerDiscrete",
                "EulerAncestralDiscrete",
                "HeunDiscrete",
                "KDPM2Discrete",
                "KDPM2AncestralDiscrete",
                "DPMSolverMultistep",
                "DPMSolverSinglestep",
                "UniPCMultistep",
                "LMSDiscrete",
                "FlowMatchEulerDiscrete",
                "FlowMatchHeunDiscrete",
            )
        ),
    ],
)
def test_the_steps_of_a_scheduler_are_known_before_it_runs(name: str, config: dict[str, Any]):
    kind = getattr(diffusers, name)
    scheduler = kind(**config)
    for steps in (10, 25):
        scheduler.set_timesteps(steps)
        assert scheduler_steps(kind, scheduler.config)(steps) == len(scheduler.timesteps)
