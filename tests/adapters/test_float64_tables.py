"""The tables of the golden tests are diffusers' own, to the precision of those."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from diffusers import DDIMScheduler
from diffusers.models.embeddings import Timesteps

from support.float64_tables import float64_tables, noise_levels, timestep_embedding
from support.tiny.calls import fresh


@pytest.mark.parametrize("final", [True, False])
def test_noise_levels_are_those_of_diffusers(final: bool) -> None:
    scheduler = DDIMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", set_alpha_to_one=final)
    for name, level in noise_levels(scheduler.config).items():
        torch.testing.assert_close(level, getattr(scheduler, name).double(), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("flip", [True, False])
@pytest.mark.parametrize("shift", [0, 1])
def test_timestep_embedding_is_that_of_diffusers(flip: bool, shift: int) -> None:
    module = Timesteps(32, flip_sin_to_cos=flip, downscale_freq_shift=shift)
    timesteps = torch.tensor([0, 1, 500, 999])
    theirs = module(timesteps).double()
    torch.testing.assert_close(timestep_embedding(module, timesteps), theirs, rtol=0, atol=1e-3)


def test_the_pipeline_is_left_as_it_was(loaded_sd: Any) -> None:
    pipe = fresh(loaded_sd, deep=True).to(torch.float64)
    pipe.scheduler = DDIMScheduler(beta_schedule="scaled_linear")
    before, levels = vars(pipe.unet.time_proj).copy(), pipe.scheduler.alphas_cumprod
    with float64_tables(pipe):
        assert pipe.scheduler.alphas_cumprod.dtype == pipe.unet.time_proj(torch.tensor([3])).dtype == torch.float64
    assert vars(pipe.unet.time_proj) == before
    assert pipe.scheduler.alphas_cumprod is levels
