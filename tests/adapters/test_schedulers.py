"""Every scheduler that the pipelines ship."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from diffusers.schedulers.scheduling_utils import KarrasDiffusionSchedulers

from semguide import SGTv2, steer
from semguide.guidance import Rule
from support.rule_cases import ACTIVE
from support.tiny.calls import PROMPT, call, noise

OTHERS = {"LCMScheduler", "TCDScheduler", "SASolverScheduler"}
NAMES = sorted(OTHERS | {kind.name for kind in KarrasDiffusionSchedulers})
STEPS = 4
RULES: list[Rule[Any]] = [*ACTIVE, SGTv2(concept_guidance_scale=0.0)]
ONE_AND_OFF = (ACTIVE[0], RULES[-1])
"""For SDXL, which calls a scheduler as Stable Diffusion does."""


def with_scheduler(pipe: Any, name: str, **config: Any) -> Any:
    if name == "DPMSolverSDEScheduler":
        pytest.importorskip("torchsde")
    pipe.scheduler = getattr(diffusers, name).from_config(pipe.scheduler.config, **config)
    return pipe


def check(pipe: Any, rules: Iterable[Rule[Any]] = RULES) -> None:
    """Check that each rule fires at every denoiser call of the scheduler, and that its off value changes nothing."""
    plain = call(pipe, guidance_scale=7.5, num_inference_steps=STEPS)
    for rule in rules:
        result = steer(pipe, rule)(PROMPT, num_inference_steps=STEPS, generator=noise(), output_type="latent")
        calls = pipe.num_timesteps
        assert calls >= STEPS
        assert result.images.isfinite().all()
        assert torch.equal(result.images, plain) is rule.is_noop
        evaluated = rule.uses_concepts and not rule.is_noop
        assert result.evaluations == [calls * (4 if evaluated else 2)]
        assert np.isnan(result.trace.similarity[0]).any() != evaluated
        assert len(result.trace.similarity[0]) == calls


@pytest.mark.parametrize("name", NAMES)
def test_rules_work_with_every_scheduler(sd: Any, name: str) -> None:
    check(with_scheduler(sd, name))


@pytest.mark.parametrize("name", NAMES)
def test_rules_work_with_every_scheduler_of_sdxl(sdxl: Any, name: str) -> None:
    check(with_scheduler(sdxl, name), ONE_AND_OFF)


@pytest.mark.parametrize("name", ["DDIMScheduler", "EulerDiscreteScheduler", "DPMSolverMultistepScheduler"])
def test_rules_work_with_v_prediction(sd: Any, name: str) -> None:
    check(with_scheduler(sd, name, prediction_type="v_prediction"))


def test_rules_work_from_pure_noise(sd: Any) -> None:
    options = {"prediction_type": "v_prediction", "rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
    check(with_scheduler(sd, "DDIMScheduler", **options))


@pytest.mark.parametrize("name", ["HeunDiscreteScheduler", "PNDMScheduler", "KDPM2DiscreteScheduler"])
def test_steps_are_denoiser_calls_where_a_scheduler_repeats_timesteps(sd: Any, name: str) -> None:
    with_scheduler(sd, name)
    result = steer(sd, SGTv2(warmup_steps=0, cooldown_steps=3))(
        PROMPT, num_inference_steps=STEPS, generator=noise(), output_type="latent"
    )
    assert sd.num_timesteps > STEPS
    assert np.flatnonzero(~np.isnan(result.trace.similarity[0][:, 0])).tolist() == [0, 1, 2]
