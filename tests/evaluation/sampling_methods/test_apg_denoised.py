"""Adaptive projected guidance of denoised images: loops by hand, and plain guidance where it is off."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from diffusers.guiders.adaptive_projected_guidance import MomentumBuffer, normalized_guidance
from torch import Tensor

from semguide.evaluation.sampling_methods import SamplingOptions
from semguide.evaluation.sampling_methods.apg_denoised import APGDenoised
from support.families.run import made
from support.tiny.calls import PROMPT

W = 4.0
SIZES = {"sd": 64, "sd3": 8}  # pixels


def picture(method: APGDenoised, family: str = "sd") -> np.ndarray:
    options = SamplingOptions(3, SIZES[family], SIZES[family])
    return np.asarray(method.bind(made(family), options)(PROMPT, [], 3).image, dtype=float)


def plain(family: str = "sd") -> np.ndarray:
    size, generator = SIZES[family], torch.Generator().manual_seed(3)
    arguments = {"num_inference_steps": 3, "guidance_scale": W, "height": size, "width": size, "generator": generator}
    return np.asarray(made(family)(PROMPT, **arguments).images[0], dtype=float)


def decoded(pipe: Any, latents: Tensor) -> np.ndarray:
    shift = getattr(pipe.vae.config, "shift_factor", None) or 0.0
    image = pipe.vae.decode(latents / pipe.vae.config.scaling_factor + shift).sample
    return np.asarray(pipe.image_processor.postprocess(image.detach())[0], dtype=float)


@torch.no_grad()
def test_a_loop_by_hand_with_the_projection_of_diffusers_makes_the_same_picture() -> None:
    pipe, buffer = made("sd"), MomentumBuffer(-0.5)
    prompt, negative = pipe.encode_prompt(PROMPT, "cpu", 1, True, "")
    pipe.scheduler.set_timesteps(3)
    side = 64 // pipe.vae_scale_factor
    x = torch.randn((1, pipe.unet.config.in_channels, side, side), generator=torch.Generator().manual_seed(3))
    for time in pipe.scheduler.timesteps:
        alpha = pipe.scheduler.alphas_cumprod[time].sqrt()
        sigma = (1 - alpha**2).sqrt()
        uncond, cond = ((x - sigma * pipe.unet(x, time, text).sample) / alpha for text in (negative, prompt))
        image = normalized_guidance(cond, uncond, W, buffer, 0.3, 2.0)
        x = pipe.scheduler.step((x - alpha * image) / sigma, time, x).prev_sample
    found = picture(APGDenoised(W, 2.0, 0.3, -0.5))
    assert np.abs(found - decoded(pipe, x)).max() <= 1
    assert np.abs(found - plain()).max() > 2


@torch.no_grad()
def test_the_denoised_image_of_a_flow_is_what_is_left_of_its_noise() -> None:
    pipe = made("sd3")
    embeds, negative, pooled, negative_pooled = pipe.encode_prompt(PROMPT, PROMPT, PROMPT)
    pipe.scheduler.set_timesteps(3)
    side = 8 // pipe.vae_scale_factor
    x = torch.randn((1, pipe.transformer.config.in_channels, side, side), generator=torch.Generator().manual_seed(3))
    for step, time in enumerate(pipe.scheduler.timesteps):
        sigma = pipe.scheduler.sigmas[step]
        velocities = [
            pipe.transformer(x, text, pool, time[None]).sample
            for text, pool in ((negative, negative_pooled), (embeds, pooled))
        ]
        uncond, cond = (x - sigma * velocity for velocity in velocities)
        image = normalized_guidance(cond, uncond, W, None, 0.0, 0.5)
        x = pipe.scheduler.step((x - image) / sigma, time, x).prev_sample
    found = picture(APGDenoised(W, 0.5, 0.0, 0.0), "sd3")
    assert np.abs(found - decoded(pipe, x)).max() <= 1
    assert np.abs(found - plain("sd3")).max() > 1


@pytest.mark.parametrize("family", ["sd", "sd3"])
def test_off_it_is_plain_guidance_at_its_cost(family: str) -> None:
    method = APGDenoised(W, 0.0, 1.0, 0.0)
    assert np.abs(picture(method, family) - plain(family)).max() <= 1
    options = SamplingOptions(3, SIZES[family], SIZES[family])
    assert method.bind(made(family), options)(PROMPT, [], 3).evaluations == method.evaluations_per_image(3, 2) == 6
