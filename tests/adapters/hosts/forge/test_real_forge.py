"""The Forge patch in the sampling function of a real Forge, where FORGE_PATH names a checkout.

It needs what that function imports (einops, psutil, ...) beside semguide; none of its code is part of this repository.
"""

from __future__ import annotations

import os
import sys
import types
from importlib import import_module
from typing import Any

import pytest
import torch

from semguide import SGT
from semguide.adapters.hosts.forge import ForgeSampling
from support.comfyui import standin

FOLDER = os.environ.get("FORGE_PATH", "")
pytestmark = [
    pytest.mark.skipif(not FOLDER, reason="no Forge: set FORGE_PATH to a checkout"),
    pytest.mark.filterwarnings("ignore"),
]
PROMPT, CONCEPTS, STEPS = "a red book and a yellow vase", ["a red book", "a yellow vase"], 8


@pytest.fixture(scope="module")
def forge() -> Any:
    """Return the sampling functions of Forge, on the CPU."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["forge", "--always-cpu"])
        for folder in (FOLDER, f"{FOLDER}/packages_3rdparty"):
            patch.syspath_prepend(folder)
        names = ("sampling.sampling_function", "sampling.condition", "modules.k_prediction", "patcher.unet")
        modules = [import_module(f"backend.{name}") for name in names]
        return types.SimpleNamespace(sampling=modules[0], condition=modules[1], k=modules[2], unet=modules[3])


class Model(standin.Model):
    """The stand-in's formula as Forge's model."""

    def __init__(self, predictor: Any) -> None:
        super().__init__()
        self.predictor = predictor

    def memory_required(self, input_shape: Any) -> int:
        return 0 * len(input_shape)

    def apply_model(self, x: Any, t: Any, c_crossattn: Any = None, **_: Any) -> torch.Tensor:
        self.calls.append((float(t[0]), len(x)))
        rows = [self.denoised(x[i : i + 1], t[i], c_crossattn[i, 0]) for i in range(len(x))]
        return torch.cat(rows)


class Unet:
    """What the sampling needs of Forge's UNet patcher; the methods that the patch calls are Forge's own."""

    def __init__(self, forge: Any, model: Any, options: Any = None) -> None:
        self.forge, self.model = forge, model
        self.model_options = options or {"transformer_options": {}}
        self.controlnet_linked_list = self.extra_concat_condition = None

    def clone(self) -> Any:
        return Unet(self.forge, self.model, dict(self.model_options))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.forge.unet.UnetPatcher, name).__get__(self)


def text(prompt: str) -> torch.Tensor:
    return standin.conditioning(prompt)[0][0][None, None]


def sample(forge: Any, unet: Any) -> torch.Tensor:
    """Sample through Forge's own function, for two images."""
    engine = types.SimpleNamespace(forge_objects=types.SimpleNamespace(unet=unet))
    denoiser = types.SimpleNamespace(
        inner_model=types.SimpleNamespace(inner_model=engine), p=types.SimpleNamespace(seeds=[0])
    )

    def model(x: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        params = types.SimpleNamespace(
            x=x, sigma=sigma, text_cond=text(PROMPT).repeat(2, 1, 1), text_uncond=text(""), image_cond=None
        )
        return forge.sampling.sampling_function(denoiser, params, 7.5, [[(0, 1.0)], [(1, 1.0)]])[0]

    sigmas = standin.schedule(STEPS)
    return standin.euler(model, standin.noise(2) * sigmas[0], sigmas)


def test_the_image_is_that_of_the_guider_for_comfyui(forge: Any, samplers: Any) -> None:
    from semguide.adapters.hosts.comfyui.guider import SemanticGuider

    del samplers
    guider = SemanticGuider(standin.Patcher(), SGT())
    concepts = [standin.conditioning(name) for name in CONCEPTS]
    guider.set_conds(standin.conditioning(PROMPT), standin.conditioning(""), concepts)
    noise = standin.noise(2)
    expected = guider.sample(noise, torch.zeros_like(noise), standin.euler, standin.schedule(STEPS))
    unet = Unet(forge, Model(forge.k.Prediction(prediction_type="epsilon")))
    found = {name: forge.condition.compile_conditions(text(name))[0] for name in CONCEPTS}
    run = ForgeSampling(SGT(), found, standin.schedule(STEPS).tolist(), forge.sampling.calc_cond_uncond_batch)
    plain, steered = sample(forge, unet), sample(forge, run.patched(unet))
    torch.testing.assert_close(steered, expected, rtol=1e-6, atol=1e-6)
    assert not torch.allclose(plain, steered)
    assert torch.equal(sample(forge, unet), plain), "the patcher itself is unchanged"
    assert run.trace().similarity[1].shape == (STEPS, 2)
