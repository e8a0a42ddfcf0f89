"""CO3 on a tiny Stable Diffusion: off it is the pipeline's own, on it is a loop by hand."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import PNDMScheduler
from torch import Tensor

from semguide import decompose
from semguide.errors import UnsupportedPipeline
from semguide.evaluation.sampling_methods import SamplingOptions
from semguide.evaluation.sampling_methods.attend_excite import AttendExcite
from semguide.evaluation.sampling_methods.co3 import CO3, concept_shares, correct_latents, resample_latents
from semguide.evaluation.sampling_methods.denoiser import eps_model
from semguide.models import load
from support.families.run import made
from support.refusals import refuses
from support.rule_cases import hand_predictions, random_predictions
from support.tiny.calls import fresh
from support.tiny.stable_diffusion import save_tiny_checkpoint, tiny_stable_diffusion

PROMPT = "a red book and a yellow vase"
CONCEPTS = decompose(PROMPT)
W, LAMBDA, BETA = 4.0, 0.8, 0.1
TWO = SamplingOptions(2, 64, 64)


@pytest.fixture(scope="module")
def pipe(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder: Path = save_tiny_checkpoint(tmp_path_factory.mktemp("co3") / "tiny-sd")
    loaded: Any = load(str(folder), device="cpu")
    loaded.set_progress_bar_config(disable=True)
    return loaded


def plain(pipe: Any, steps: int = 2, **more: Any) -> np.ndarray:
    generator = torch.Generator().manual_seed(3)
    image = pipe(PROMPT, num_inference_steps=steps, guidance_scale=W, generator=generator, **more).images[0]
    return np.asarray(image, dtype=float)


def picture(pipe: Any, method: CO3, sampling: SamplingOptions = TWO, concepts: Any = CONCEPTS) -> np.ndarray:
    return np.asarray(method.bind(pipe, sampling)(PROMPT, concepts, 3).image, dtype=float)


@torch.no_grad()
def by_hand(pipe: Any) -> np.ndarray:
    """Return the picture of two DDIM steps: the first one resampled twice, the second one corrected twice."""
    embeds = torch.cat(
        [pipe.encode_prompt(text, "cpu", 1, False)[0] for text in ("", PROMPT, *(c.text for c in CONCEPTS))]
    )
    x = torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(3))
    pipe.scheduler.set_timesteps(2)
    times, cumulated = pipe.scheduler.timesteps, pipe.scheduler.alphas_cumprod
    for step, time in enumerate(times):
        alpha, sigma = cumulated[time].sqrt(), (1 - cumulated[time]).sqrt()
        for _ in range(2):
            null, prompt, *concepts = pipe.unet(x.expand(4, -1, -1, -1), time, embeds).sample
            affinity = torch.tensor([torch.exp(-BETA * (concept - prompt).norm()) for concept in concepts])
            a = affinity / affinity.sum()
            mean = sum(a_k * concept for a_k, concept in zip(a, concepts, strict=True))
            if step == 0:
                x = (sigma * (null - LAMBDA * (prompt - mean)))[None]
                continue
            tweedie = [x[0] - sigma * (null + LAMBDA * (e - null)) for e in (prompt, *concepts)]
            composed = 2 * tweedie[0] - sum(a_k * m for a_k, m in zip(a, tweedie[1:], strict=True))
            composed = composed / composed.max() * tweedie[0].max() + sigma * null
            x = (composed * x.norm() / composed.norm())[None]
        null, prompt = pipe.unet(x.expand(2, -1, -1, -1), time, embeds[:2]).sample
        eps = null + W * (prompt - null)
        later = cumulated[times[step + 1]] if step == 0 else pipe.scheduler.final_alpha_cumprod
        x = later.sqrt() * (x - sigma * eps) / alpha + (1 - later).sqrt() * eps
    decoded = pipe.vae.decode(x / pipe.vae.config.scaling_factor).sample
    return np.asarray(pipe.image_processor.postprocess(decoded)[0], dtype=float)


def test_two_steps_are_those_by_hand(pipe: Any) -> None:
    found = picture(pipe, CO3(W, LAMBDA, 1.0, BETA, iterations=2, resample=0.5, stop=1.0))
    assert np.abs(found - by_hand(pipe)).max() <= 1
    assert np.abs(found - plain(pipe)).max() > 3


@torch.no_grad()
def test_flow_models_are_corrected_in_eps() -> None:
    pipe, texts = made("sd3"), ["", PROMPT, *(c.text for c in CONCEPTS)]
    pipe.scheduler.set_timesteps(2)
    x = torch.randn((1, 16, 4, 4), generator=torch.Generator().manual_seed(3))
    method = CO3(W, LAMBDA, 1.0, BETA, iterations=1, resample=0.5, stop=1.0)
    found = method.new_latents(eps_model(pipe, texts), x, 1, 2)
    sigma, time = pipe.scheduler.sigmas[1], pipe.scheduler.timesteps[1]
    eps = []
    for text in texts:
        embeds, _, pooled, _ = pipe.encode_prompt(text, text, text, do_classifier_free_guidance=False)
        eps.append(x + (1 - sigma) * pipe.transformer(x, embeds, pooled, time[None]).sample)
    null, prompt, *concepts = eps
    affinity = torch.stack([torch.exp(-BETA * (concept - prompt).norm()) for concept in concepts])
    a = affinity / affinity.sum()
    tweedie = [x - sigma * (null + LAMBDA * (e - null)) for e in (prompt, *concepts)]
    composed = 2 * tweedie[0] - sum(a_k * m for a_k, m in zip(a, tweedie[1:], strict=True))
    composed = composed / composed.max() * tweedie[0].max() + sigma * null
    expected = composed * x.norm() / composed.norm()
    assert (expected - x).abs().max() > 1e-3
    torch.testing.assert_close(found - x, expected - x, rtol=1e-2, atol=1e-5)


def test_flow_models_see_nothing_but_noise_at_first() -> None:
    pipe, small = made("sd3"), SamplingOptions(2, 8, 8)
    off = picture(pipe, CO3(W, iterations=0), small)
    assert np.array_equal(off, plain(pipe, height=8, width=8))
    for resample in (0.0, 0.5):  # at sigma 1 both leave x
        found = picture(pipe, CO3(W, iterations=1, resample=resample, stop=0.5), small)
        assert np.abs(found - off).max() <= 1


def test_off_it_is_the_pipeline_to_the_bit(pipe: Any) -> None:
    for method in (CO3(W, iterations=0), CO3(W, resample=0.0, stop=0.0)):
        assert np.array_equal(picture(pipe, method), plain(pipe))
    assert np.array_equal(picture(pipe, CO3(W), concepts=[]), plain(pipe))


def test_the_same_seed_makes_the_same_picture_and_the_pipeline_stays(pipe: Any) -> None:
    before, method = plain(pipe), CO3(W, iterations=1, stop=1.0)
    assert np.array_equal(picture(pipe, method), picture(pipe, method))
    assert np.array_equal(plain(pipe), before)


def test_an_offloaded_pipeline_is_asked_where_it_computes(pipe: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    expected, offloaded = picture(pipe, CO3(W)), fresh(pipe, deep=True)
    monkeypatch.setattr("diffusers.pipelines.pipeline_utils.empty_device_cache", lambda *_: None)
    offloaded.enable_model_cpu_offload(device="cpu")
    monkeypatch.setattr(type(pipe), "device", property(lambda _: torch.device("meta")))
    assert np.array_equal(picture(offloaded, CO3(W)), expected)


@pytest.mark.parametrize("method", [CO3(W), CO3(W, iterations=2, stop=0.5), CO3(W, resample=0.4, stop=0.2)])
def test_its_cost_is_what_the_denoiser_did(pipe: Any, method: CO3) -> None:
    rows: list[int] = []
    hook = pipe.unet.register_forward_pre_hook(lambda _, args: rows.append(len(args[0])))
    found = method.bind(pipe, SamplingOptions(10, 64, 64))(PROMPT, CONCEPTS, 0)
    hook.remove()
    assert found.evaluations == method.evaluations_per_image(10, 2) == sum(rows)


@pytest.mark.parametrize("method", [CO3(W), AttendExcite(W, scale_factor=0.0)])
def test_a_step_that_pndm_evaluates_twice_counts_twice(pipe: Any, monkeypatch: pytest.MonkeyPatch, method: Any) -> None:
    pndm = PNDMScheduler.from_config(pipe.scheduler.config, skip_prk_steps=True)
    monkeypatch.setitem(vars(pipe), "scheduler", pndm)
    rows: list[int] = []
    hook = pipe.unet.register_forward_pre_hook(lambda _, args: rows.append(len(args[0])))
    found = method.bind(pipe, SamplingOptions(5, 64, 64))(PROMPT, CONCEPTS, 0)
    hook.remove()
    assert found.evaluations == sum(rows)


def test_published_cost_is_three_times_plain_guidance() -> None:
    assert CO3().evaluations_per_image(50, 2) == 100 + 10 * 5 * 4
    assert CO3().evaluations_per_image(50, 0) == 100


def test_other_pipelines_and_schedulers_are_refused(pipe: Any) -> None:
    with pytest.raises(UnsupportedPipeline, match=r"co3 needs a StableDiffusionPipeline or .*, got FluxPipeline"):
        CO3().check("FluxPipeline", TWO)
    with pytest.raises(UnsupportedPipeline, match=r"eps predictions .*got DDIMScheduler with .*'v_prediction'"):
        CO3().bind(tiny_stable_diffusion("v_prediction"), TWO)
    from diffusers import EulerDiscreteScheduler

    other = tiny_stable_diffusion()
    other.scheduler = EulerDiscreteScheduler()
    with pytest.raises(UnsupportedPipeline, match="got EulerDiscreteScheduler"):
        CO3().bind(other, TWO)


@pytest.mark.parametrize("name", ["scale", "contrast", "closeness", "iterations", "resample", "stop"])
def test_parameters_out_of_range_are_refused(name: str) -> None:
    values: list[Any] = [-1, None, float("nan")]
    for value in values:
        with refuses(name):
            CO3(**{name: value})


SIGMA = torch.tensor(0.5, dtype=torch.float64)


def x_like(prediction: Tensor) -> Tensor:
    return torch.randn(prediction.shape, generator=torch.Generator().manual_seed(9), dtype=torch.float64)


def test_the_concept_nearest_to_the_prompt_has_the_largest_share() -> None:
    predictions = hand_predictions([3, 4], [3, 5], [3, 7])  # distances 1 and 3
    near = 1 / (1 + math.exp(-2 * 0.8))
    assert concept_shares(predictions, 0.8).tolist() == pytest.approx([near, 1 - near])
    assert concept_shares(predictions, 0.0).tolist() == [0.5, 0.5]


def test_resampled_latents_are_noise_by_hand() -> None:
    predictions = hand_predictions([3, 4], [5, 0], [0, 1])  # e(0) is 1, e(P) (4, 5), concepts (6, 1) and (1, 2)
    share = torch.tensor([0.25, 0.75], dtype=torch.float64)
    new = resample_latents(predictions, SIGMA, share, 0.8)  # the mean concept is (2.25, 1.75)
    assert new.flatten().tolist() == pytest.approx([0.5 * (1 - 0.8 * 1.75), 0.5 * (1 - 0.8 * 3.25)])
    assert torch.equal(resample_latents(predictions, SIGMA, share, 0.0), SIGMA * predictions.uncond)


def test_resampled_latents_compose_tweedie_means_with_weights_that_sum_to_zero() -> None:
    p = random_predictions(1, concepts=3)
    x, share = x_like(p.cond), concept_shares(p, 0.1)
    mean = torch.zeros_like(x)
    for weight, prediction in zip([1.0, *(-share).tolist()], [p.cond, *p.concepts], strict=True):
        mean = mean + weight * (x - SIGMA * (p.uncond + 0.8 * (prediction - p.uncond)))
    torch.testing.assert_close(resample_latents(p, SIGMA, share, 0.8), mean + SIGMA * p.uncond)


@pytest.mark.parametrize("contrast", [0.0, 0.5, 1.0])
def test_corrected_latents_compose_tweedie_means_with_weights_that_sum_to_one(contrast: float) -> None:
    p = random_predictions(2, concepts=3)
    x, share = x_like(p.cond), concept_shares(p, 0.1)
    means = [x - SIGMA * (p.uncond + 0.8 * (prediction - p.uncond)) for prediction in (p.cond, *p.concepts)]
    weights = [1 + contrast, *(-contrast * share).tolist()]
    assert sum(weights) == pytest.approx(1)
    composed = sum((weight * mean for weight, mean in zip(weights, means, strict=True)), torch.zeros_like(x))
    composed = composed * means[0].max() / composed.max() + SIGMA * p.uncond
    expected = composed * x.norm() / composed.norm()
    torch.testing.assert_close(correct_latents(x, p, SIGMA, (contrast, share), 0.8), expected)


def test_corrected_latents_keep_their_size_and_scale_zero_keeps_them() -> None:
    p = random_predictions(3)
    x, share = x_like(p.cond), concept_shares(p, 0.1)
    torch.testing.assert_close(correct_latents(x, p, SIGMA, (1.0, share), 0.0), x)
    torch.testing.assert_close(correct_latents(x, p, SIGMA, (1.0, share), 2.0).norm(), x.norm())
