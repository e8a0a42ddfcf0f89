"""What the node with retries uses of ComfyUI's custom sampling, written from its documentation and behaviour."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor

from support.comfyui import standin


class RandomNoise:
    """NOISE of a seed; like ComfyUI's it seeds torch's own generator."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def generate_noise(self, latent: Any) -> Tensor:
        torch.manual_seed(self.seed)
        return torch.randn(latent["samples"].shape, dtype=torch.float64)


class EmptyNoise:
    """NOISE that is none."""

    def __init__(self) -> None:
        self.seed = 0

    def generate_noise(self, latent: Any) -> Tensor:
        return torch.zeros_like(latent["samples"])


class SamplerCustomAdvanced:
    """The node."""

    def sample(self, noise: Any, guider: Any, sampler: Any, sigmas: Tensor, latent_image: Any) -> tuple[Any, Any]:
        start = latent_image["samples"]
        samples = guider.sample(noise.generate_noise(latent_image), start, sampler, sigmas, seed=noise.seed)
        return {**latent_image, "samples": samples}, {**latent_image, "samples": samples / 2}


def latent(images: int = 1, **options: Any) -> Any:
    """Return an empty LATENT."""
    shape = (images, standin.CHANNELS, standin.SIZE, standin.SIZE)
    return {"samples": torch.zeros(shape, dtype=torch.float64), **options}


def ancestral(model: Callable[..., Tensor], x: Tensor, sigmas: Tensor) -> Tensor:
    """Sample with noise of torch's own generator."""
    for sigma, following in pairwise(sigmas):
        denoised = model(x, sigma.expand(len(x)))
        x = denoised + following * torch.randn(x.shape, dtype=x.dtype)
    return x


class Restless:
    """A sampler that does not do the same twice."""

    def __init__(self) -> None:
        self.runs = 0

    def __call__(self, model: Callable[..., Tensor], x: Tensor, sigmas: Tensor) -> Tensor:
        self.runs += 1
        return standin.euler(model, x * (1 + 0.01 * self.runs), sigmas)


def install(patch: pytest.MonkeyPatch) -> None:
    """Put the node in the place of ComfyUI's."""
    package, module = types.ModuleType("comfy_extras"), types.ModuleType("comfy_extras.nodes_custom_sampler")
    vars(module).update(SamplerCustomAdvanced=SamplerCustomAdvanced)
    patch.setitem(sys.modules, "comfy_extras", package)
    patch.setitem(sys.modules, "comfy_extras.nodes_custom_sampler", module)
