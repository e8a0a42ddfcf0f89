"""A float64 Stable Diffusion whose noise levels and timestep embeddings are float64 too.

diffusers computes these two in float32 whatever the pipeline is in, and the last bit of exp, sin and a cumulative
product in float32 depends on the processor's vector instructions. The 1e-7 that differs is out of reach of any float64
computation after it. From the same formulas in float64, what a processor changes is about 1e-14.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor

MAX_PERIOD = 10000


@contextmanager
def float64_tables(pipe: Any) -> Iterator[None]:
    """Compute the scheduler's noise levels and the UNet's timestep embedding in float64, until the block ends."""
    assert pipe.unet.dtype == torch.float64
    embed = pipe.unet.time_proj
    with ExitStack() as stack:
        for name, level in noise_levels(pipe.scheduler.config).items():
            stack.enter_context(patch.object(pipe.scheduler, name, level))
        stack.enter_context(patch.object(embed, "forward", partial(timestep_embedding, embed)))
        yield


def noise_levels(config: Any) -> dict[str, Tensor]:
    """Return a DDIM scheduler's tables: the betas' square roots are evenly spaced."""
    assert (config.beta_schedule, config.trained_betas) == ("scaled_linear", None)
    assert not config.rescale_betas_zero_snr
    ends = math.sqrt(config.beta_start), math.sqrt(config.beta_end)
    betas = torch.linspace(*ends, config.num_train_timesteps, dtype=torch.float64) ** 2
    alphas_cumprod = torch.cumprod(1 - betas, dim=0)
    final = torch.ones((), dtype=torch.float64) if config.set_alpha_to_one else alphas_cumprod[0]
    return {"betas": betas, "alphas": 1 - betas, "alphas_cumprod": alphas_cumprod, "final_alpha_cumprod": final}


def timestep_embedding(module: Any, timesteps: Tensor) -> Tensor:
    """Return sin and cos of the timesteps at geometrically spaced frequencies: (timestep, channel)."""
    half, odd = divmod(module.num_channels, 2)
    assert not odd
    exponents = torch.arange(half, dtype=torch.float64) / (half - module.downscale_freq_shift)
    angles = module.scale * torch.outer(timesteps.double(), float(MAX_PERIOD) ** -exponents)
    parts = (angles.cos(), angles.sin()) if module.flip_sin_to_cos else (angles.sin(), angles.cos())
    return torch.cat(parts, dim=1)
