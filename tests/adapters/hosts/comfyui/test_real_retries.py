"""Sampling with further seeds in a real ComfyUI, where COMFYUI_PATH names a checkout; see test_real_comfyui.py."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from semguide import SGT, Rule, SGTv2, steer
from semguide.guidance.attempts import attempts_of
from support.comfyui import real, standin
from support.comfyui.tiny import encode
from support.tiny.calls import CONCEPTS, PROMPT

pytestmark = [
    pytest.mark.skipif(not real.FOLDER, reason="no ComfyUI: set COMFYUI_PATH to a checkout"),
    pytest.mark.filterwarnings("ignore"),
]

STEPS, SEED, RETRIES = 6, 3, 2
SAMPLERS = ["euler", "heun", "dpm_2", "dpmpp_2m", "dpmpp_sde", "uni_pc", "euler_cfg_pp", "euler_ancestral", "ddpm"]
SAMPLERS += ["lms", "dpm_fast", "dpm_adaptive"]


@pytest.fixture
def samplers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return the real comfy.samplers, in the mode in which ComfyUI runs its nodes."""
    standin.forget(monkeypatch)
    found = real.comfy("comfy.samplers")
    with torch.inference_mode():
        yield found


@pytest.fixture
def patcher(sd: Any) -> Any:
    return real.patched(real.DiffusersUNet(sd.unet))


def guider_of(pipe: Any, patcher: Any, rule: Any) -> Any:
    from semguide.adapters.hosts.comfyui.guider import SemanticGuider

    guider = SemanticGuider(patcher, rule)
    guider.set_conds(encode(pipe, PROMPT), encode(pipe, ""), [encode(pipe, text) for text in CONCEPTS])
    return guider


def sampling_of(samplers: Any, patcher: Any, name: str, seed: int = SEED, images: int = 1, **options: Any) -> Any:
    from semguide.adapters.hosts.comfyui.attempt import Sampling

    noise = real.comfy("comfy_extras.nodes_custom_sampler").Noise_RandomNoise(seed)
    sigmas = samplers.calculate_sigmas(patcher.get_model_object("model_sampling"), "normal", STEPS)
    sampler = samplers.ksampler(name, options) if options else samplers.sampler_object(name)
    return Sampling(noise, sampler, sigmas, {"samples": torch.zeros(images, 4, 8, 8)})


def drawn(guider: Any, sampling: Any, threshold: float) -> Any:
    from semguide.adapters.hosts.comfyui.retries import draw

    return draw(guider, sampling, RETRIES, threshold)


@pytest.mark.parametrize("images", [1, 2])
@pytest.mark.parametrize("name", SAMPLERS)
def test_a_seed_that_is_good_enough_is_comfyuis_own_to_the_bit(
    sd: Any, patcher: Any, samplers: Any, name: str, images: int
) -> None:
    found = drawn(guider_of(sd, patcher, SGT(start=0.2)), sampling_of(samplers, patcher, name, images=images), 0.0)
    expected = sampling_of(samplers, patcher, name, images=images).draw(guider_of(sd, patcher, SGT(start=0.2)))
    assert torch.equal(found.output["samples"], expected[0]["samples"])
    assert torch.equal(found.denoised["samples"], expected[1]["samples"])


@pytest.mark.parametrize("rule", [SGT(), SGTv2(warmup_steps=0)], ids=["sgt", "sgt-v2"])
@pytest.mark.parametrize("name", SAMPLERS)
def test_the_best_seed_is_finished_as_comfyui_draws_it_to_the_bit(
    sd: Any, patcher: Any, samplers: Any, name: str, rule: Rule[Any]
) -> None:
    guider = guider_of(sd, patcher, rule)
    found = drawn(guider, sampling_of(samplers, patcher, name), 1.0)
    expected = sampling_of(samplers, patcher, name, found.seeds[0]).draw(plain := guider_of(sd, patcher, rule))
    assert torch.equal(found.output["samples"], expected[0]["samples"])
    assert torch.equal(found.denoised["samples"], expected[1]["samples"])
    assert guider.trace().to_json() == plain.trace().to_json()
    assert "twice" not in found.report


def test_noise_of_torchs_own_generator_is_the_same_when_a_seed_is_finished(
    sd: Any, patcher: Any, samplers: Any
) -> None:
    churned = sampling_of(samplers, patcher, "euler", s_churn=2.0)
    found = drawn(guider_of(sd, patcher, SGT()), churned, 1.0)
    expected = sampling_of(samplers, patcher, "euler", found.seeds[0], s_churn=2.0).draw(guider_of(sd, patcher, SGT()))
    assert "twice" not in found.report
    assert torch.equal(found.output["samples"], expected[0]["samples"])


def test_images_of_a_batch_are_tried_again_on_their_own(sd: Any, patcher: Any, samplers: Any) -> None:
    found = drawn(guider_of(sd, patcher, SGT()), sampling_of(samplers, patcher, "euler", images=3), 1.0)
    assert len(set(found.seeds)) > 1
    for i, seed in enumerate(found.seeds):
        batch = sampling_of(samplers, patcher, "euler", seed, images=3).draw(guider_of(sd, patcher, SGT()))
        torch.testing.assert_close(found.output["samples"][i], batch[0]["samples"][i], rtol=1e-3, atol=1e-3)


def test_the_score_is_that_of_the_steered_diffusers_pipeline(sd: Any, patcher: Any, samplers: Any) -> None:
    from diffusers import EulerDiscreteScheduler

    from semguide.adapters.hosts.comfyui.attempt import Attempt

    sd.scheduler = EulerDiscreteScheduler(
        beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, timestep_spacing="leading", steps_offset=1
    )
    sd.scheduler.set_timesteps(STEPS)
    sigmas = sd.scheduler.sigmas.clone()
    for seed in attempts_of(SEED, RETRIES):
        given = sampling_of(samplers, patcher, "euler", seed)
        given = type(given)(given.noise, given.sampler, sigmas, given.latent)
        attempt = Attempt(guider_of(sd, patcher, SGT()), given, 2.0)
        attempt.run()
        start = given.noise.generate_noise(given.latent) * sigmas[0] / sd.scheduler.init_noise_sigma
        result = steer(sd, SGT())(PROMPT, latents=start, num_inference_steps=STEPS, output_type="latent")
        assert attempt.scores == pytest.approx(result.alignment_score, rel=1e-3)
