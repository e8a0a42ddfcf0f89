"""Personalization guidance: against weights interpolated by hand, and where it cannot be had."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

from semguide import CFG, Personalization, UnsupportedPipeline, steer
from support.families.rows import OTHER, batch
from support.families.run import ROWS, SCALE, made, run
from support.refusals import refuses
from support.tiny.calls import PROMPT, STEPS, call, fresh, noise

DENOISERS = {"sd": "unet", "sdxl": "unet", "sd3": "transformer", "flux": "transformer", "wan": "transformer"}


def add_lora(denoiser: Any, scale: float = 0.7) -> None:
    """Give a denoiser a LoRA whose update is not zero, at a scale."""
    from peft import LoraConfig

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        denoiser.add_adapter(LoraConfig(r=2, init_lora_weights=False, target_modules=["to_q", "to_v"]))
    denoiser.set_adapters("default", scale)


def scalings(denoiser: Any) -> list[float]:
    return [value for part in denoiser.modules() for value in getattr(part, "scaling", {}).values()]


@pytest.fixture
def tuned_sd(loaded_sd: Any) -> Any:
    pipe = fresh(loaded_sd, deep=True)
    add_lora(pipe.unet)
    return pipe


def interpolated(base: Any, tuned: Any, omega: float) -> Any:
    """Return the denoiser of (1 - omega) times the weights before the LoRA and omega times those with it."""
    weak = copy.deepcopy(base)
    layers = {name: part for name, part in tuned.named_modules() if hasattr(part, "lora_A")}
    with torch.no_grad():
        for name, layer in layers.items():
            weight = weak.get_submodule(name).weight
            fine = weight + layer.scaling["default"] * layer.lora_B["default"].weight @ layer.lora_A["default"].weight
            weight.copy_((1 - omega) * weight + omega * fine)
    return weak


@pytest.mark.parametrize("omega", [0.0, 0.3])
def test_the_null_branch_is_that_of_interpolated_weights(loaded_sd: Any, tuned_sd: Any, omega: float) -> None:
    tuned_sd.unet.double()
    tuned_sd.text_encoder.double()
    weak, full = (interpolated(loaded_sd.unet.double(), tuned_sd.unet, share) for share in (omega, 1.0))
    loaded_sd.unet.float()
    latents = torch.randn(1, 4, 8, 8, generator=noise(), dtype=torch.float64)
    ours = call(steer(tuned_sd, Personalization(5.0, omega)), latents=latents)
    with torch.no_grad():
        cond, uncond = tuned_sd.encode_prompt(PROMPT, "cpu", 1, True)
        tuned_sd.scheduler.set_timesteps(STEPS)
        x = latents
        for t in tuned_sd.scheduler.timesteps:
            prompt = full(x, t, encoder_hidden_states=cond).sample
            null = weak(x, t, encoder_hidden_states=uncond).sample
            x = tuned_sd.scheduler.step(null + 5.0 * (prompt - null), t, x).prev_sample
    torch.testing.assert_close(ours, x, rtol=1e-9, atol=1e-9)
    assert not torch.allclose(ours, call(steer(tuned_sd, CFG(5.0)), latents=latents), atol=1e-4)


def test_omega_1_is_plain_guidance_of_the_tuned_model_to_the_bit(tuned_sd: Any) -> None:
    assert torch.equal(call(steer(tuned_sd, Personalization(omega=1.0))), call(tuned_sd, guidance_scale=7.5))


def test_it_costs_two_evaluations_a_step_and_warns_of_nothing(tuned_sd: Any) -> None:
    result = steer(tuned_sd, Personalization())(PROMPT, num_inference_steps=STEPS, output_type="latent")
    assert result.evaluations == [2 * STEPS]
    assert result.idle == [None]


def test_the_scales_of_the_adapters_are_left_as_they_were_also_after_an_exception(tuned_sd: Any) -> None:
    before = scalings(tuned_sd.unet)
    call(steer(tuned_sd, Personalization(omega=0.3)))
    assert scalings(tuned_sd.unet) == before

    def broken(*_: Any) -> None:
        raise KeyError("stopped")

    tuned_sd.unet.conv_out.register_forward_hook(lambda *_: broken() if scalings(tuned_sd.unet) != before else None)
    with pytest.raises(KeyError, match="stopped"):
        call(steer(tuned_sd, Personalization(omega=0.3)))
    assert scalings(tuned_sd.unet) == before


@pytest.mark.parametrize("name", DENOISERS)
def test_each_image_of_a_batch_is_the_one_it_would_be_alone(name: str) -> None:
    pipe, family = ROWS[name].make(), ROWS[name]
    add_lora(getattr(pipe, DENOISERS[name]))
    steered, prompts = steer(pipe, Personalization(SCALE, 0.2)), [PROMPT, OTHER]
    together = run(steered, family, **batch(family, prompt=prompts))
    for i, prompt in enumerate(prompts):
        assert torch.equal(together[i], run(steered, family, prompt=prompt, generator=[noise(i)])[0])
    plain = run(pipe, family)
    assert (run(steered, family) - plain).abs().max() > 1e-4 * plain.abs().max()


def test_it_is_refused_without_a_lora_and_with_a_fused_one(sd: Any, tuned_sd: Any) -> None:
    with refuses("method", "where the denoiser has no LoRA", "personalization"):
        call(steer(sd, Personalization()))
    tuned_sd.fuse_lora()
    with refuses("method", "where LoRAs are fused"):
        call(steer(tuned_sd, Personalization()))


def test_it_is_refused_where_there_is_no_unconditional_prediction() -> None:
    name = next(name for name in ROWS if "embedded" in name)
    with pytest.raises(UnsupportedPipeline, match="no unconditional prediction"):
        run(steer(made(name), Personalization()), ROWS[name])
