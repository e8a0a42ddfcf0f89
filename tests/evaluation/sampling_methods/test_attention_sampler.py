"""The sampler of attention losses on U-Net and MMDiT: maps as the denoiser has them, moves by hand, cost as counted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from semguide import decompose
from semguide.errors import UnsupportedPipeline
from semguide.evaluation.sampling_methods import SamplingOptions
from semguide.evaluation.sampling_methods.attend_excite import AttendExcite
from semguide.evaluation.sampling_methods.attention_maps import (
    PromptTokens,
    map_sides,
    mean_map,
    recorded_maps,
    subject_of,
)
from semguide.evaluation.sampling_methods.attention_sampler import AttentionMethod
from semguide.evaluation.sampling_methods.denoiser import eps_model
from semguide.evaluation.sampling_methods.focus import Focus
from semguide.evaluation.sampling_methods.syngen import SynGen
from semguide.types import Concept
from support.families.run import made
from support.refusals import refuses
from support.tiny.stable_diffusion import tiny_stable_diffusion

PROMPT = "a red book and a yellow vase"
CONCEPTS = decompose(PROMPT)
W = 4.0
UNET = SamplingOptions(4, 64, 64)
FLOW = SamplingOptions(4, 8, 8)
METHODS = [
    AttendExcite(W, scale_factor=1000.0, thresholds=""),
    SynGen(W, scale_factor=1000.0),
    Focus(W, strength=1000.0),
]


@pytest.fixture(scope="module")
def unet() -> Any:
    found = tiny_stable_diffusion()
    found.set_progress_bar_config(disable=True)
    return found


@pytest.fixture(params=["unet", "sd3"])
def case(request: pytest.FixtureRequest, unet: Any) -> tuple[Any, SamplingOptions]:
    return (unet, UNET) if request.param == "unet" else (made("sd3"), FLOW)


def plain(pipe: Any, sampling: SamplingOptions) -> np.ndarray:
    size = {"height": sampling.height, "width": sampling.width, "num_inference_steps": sampling.num_inference_steps}
    image = pipe(PROMPT, guidance_scale=W, generator=torch.Generator().manual_seed(3), **size).images[0]
    return np.asarray(image, dtype=float)


def picture(pipe: Any, method: AttentionMethod, sampling: SamplingOptions, concepts: Any = CONCEPTS) -> np.ndarray:
    return np.asarray(method.bind(pipe, sampling)(PROMPT, concepts, 3).image, dtype=float)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_a_loss_moves_the_picture_and_costs_what_the_denoiser_did(case: Any, method: AttentionMethod) -> None:
    pipe, sampling = case
    before = plain(pipe, sampling)
    denoiser = pipe.unet if hasattr(pipe, "unet") else pipe.transformer
    rows: list[int] = []

    def count(_: Any, args: Any, kwargs: Any) -> None:
        rows.append(len(args[0] if args else kwargs["hidden_states"]))

    hook = denoiser.register_forward_pre_hook(count, with_kwargs=True)
    found = method.bind(pipe, sampling)(PROMPT, CONCEPTS, 3)
    hook.remove()
    assert found.details is not None
    assert found.details["moves"] > 0
    assert found.evaluations == sum(rows) + 2 * found.details["moves"]
    if method.name != "attend-excite":
        assert found.evaluations == method.evaluations_per_image(4, 2)
    moved = np.asarray(found.image, dtype=float)
    assert np.abs(moved - before).max() > 1
    assert np.array_equal(picture(pipe, method, sampling), moved)
    assert np.array_equal(plain(pipe, sampling), before)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_off_it_is_the_pipeline_to_the_bit(case: Any, method: AttentionMethod) -> None:
    pipe, sampling = case
    before = plain(pipe, sampling)
    strength = {"strength": 0.0} if method.name == "focus" else {"scale_factor": 0.0}
    off: AttentionMethod = replace(method, **strength)
    assert np.array_equal(picture(pipe, off, sampling), before)
    assert np.array_equal(picture(pipe, replace(method, stop=0.0), sampling), before)
    assert np.array_equal(picture(pipe, method, sampling, concepts=[]), before)
    assert off.evaluations_per_image(4, 2) == 8


def test_the_pipeline_stays_as_it_was_also_after_an_error(unet: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = plain(unet, UNET)

    def broken(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("no step")

    with monkeypatch.context() as context:
        context.setattr(unet.scheduler, "step", broken)
        with pytest.raises(RuntimeError, match="no step"):
            picture(unet, SynGen(W), UNET)
    assert not any(module._forward_pre_hooks for module in unet.unet.modules())
    assert np.array_equal(plain(unet, UNET), before)


def test_recorded_maps_are_what_the_denoiser_attends_with(case: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe, sampling = case
    joint = hasattr(pipe, "transformer")
    pipe.scheduler.set_timesteps(4)
    side = map_sides(pipe, sampling.height // pipe.vae_scale_factor)[0]
    x = torch.randn((1, 16 if joint else 4, *[sampling.height // pipe.vae_scale_factor] * 2))
    seen: list[Tensor] = []
    attend = torch.nn.functional.scaled_dot_product_attention

    def watched(query: Tensor, key: Tensor, value: Tensor, **options: Any) -> Tensor:
        shares = (query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5).softmax(dim=-1)[0]
        if joint:
            seen.append(shares[:, : side**2, side**2 :])
        elif query.shape[2] == side**2 and key.shape[2] == 77:
            seen.append(shares)
        return attend(query, key, value, **options)

    model = eps_model(pipe, [PROMPT])
    with torch.no_grad(), recorded_maps(pipe, side) as maps:
        monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", watched)
        found = model.eps(x, 0)
    monkeypatch.undo()
    assert len(maps) == len(seen) > 0
    for one, other in zip(maps, seen, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)
    with torch.no_grad():
        assert torch.equal(found, model.eps(x, 0))


def test_words_are_found_in_the_tokens_of_every_text_encoder() -> None:
    pipe = made("sd3")
    length = eps_model(pipe, [PROMPT]).texts[0].shape[1]
    tokens = PromptTokens(pipe, PROMPT, length)
    book = tokens.of((6, 10))
    clip = pipe.tokenizer(PROMPT).input_ids
    pieces = len(pipe.tokenizer("book", add_special_tokens=False).input_ids)
    first = len(pipe.tokenizer("a red", add_special_tokens=False).input_ids) + 1
    assert book[:pieces] == list(range(first, first + pieces))
    assert all(index >= len(clip) for index in book[pieces:])
    assert tokens.of((6, 10), last=True)[0] == book[pieces - 1]
    assert set(book) <= set(tokens.read())
    long = "vase " * 80
    with refuses("concepts", "must be where the text encoders still read", "vase"):
        PromptTokens(tiny_stable_diffusion(), long, 77).of((len(long) - 5, len(long) - 1))


def test_a_concept_s_words_are_its_noun_and_what_describes_it() -> None:
    first, second = (subject_of(PROMPT, concept, "syngen") for concept in CONCEPTS)
    assert [PROMPT[slice(*span)] for span in (*first.words, *second.words)] == ["red", "book", "yellow", "vase"]
    assert first.noun == (6, 10)
    phrase = subject_of("a red thing", Concept("red thing", span=(2, 11)), "syngen")
    assert phrase.words == ((2, 11),)
    with refuses("concepts", "must stand in the prompt for syngen", "a dog"):
        subject_of(PROMPT, Concept("a dog"), "syngen")


def loss_at(pipe: Any, method: AttentionMethod, side: int, x: Tensor, step: int) -> Tensor:
    """Return the loss of a method at some latents, without the sampler."""
    model = eps_model(pipe, [PROMPT])
    tokens = PromptTokens(pipe, PROMPT, model.texts[0].shape[1])
    loss = method.loss(tokens, [subject_of(PROMPT, concept, method.name) for concept in CONCEPTS])
    with recorded_maps(pipe, side) as maps:
        model.eps(x, step)
        return loss(mean_map(maps, side))


def gradient(pipe: Any, method: AttentionMethod, side: int, x: Tensor, step: int) -> Tensor:
    tracked = x.clone().requires_grad_(True)
    with torch.enable_grad():
        return torch.autograd.grad(loss_at(pipe, method, side, tracked, step), tracked)[0]


@torch.no_grad()
@pytest.mark.parametrize("method", [replace(METHODS[1], stop=1.0), METHODS[2]], ids=lambda method: method.name)
def test_two_steps_of_a_diffusion_model_are_those_by_hand(unet: Any, method: AttentionMethod) -> None:
    unet.scheduler.set_timesteps(2)
    x = torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(3))
    embeds = torch.cat([unet.encode_prompt(text, "cpu", 1, False)[0] for text in ("", PROMPT)])
    times, cumulated = unet.scheduler.timesteps, unet.scheduler.alphas_cumprod
    for step, time in enumerate(times):
        later = cumulated[times[1]] if step == 0 else unet.scheduler.final_alpha_cumprod
        (alpha, sigma), (alpha_2, sigma_2) = ((kept.sqrt(), (1 - kept).sqrt()) for kept in (cumulated[time], later))
        slope = gradient(unet, method, 4, x, step)
        x = x - 1000 * slope if method.name == "syngen" else x
        null, prompt = unet.unet(x.expand(2, -1, -1, -1), time, embeds).sample
        eps = null + W * (prompt - null)
        # DDIM is Euler's method for y = x / (alpha + sigma) = (1 - s) image + s noise
        y, s, s_2 = x / (alpha + sigma), sigma / (alpha + sigma), sigma_2 / (alpha_2 + sigma_2)
        velocity = eps - (x - sigma * eps) / alpha
        if method.name == "focus" and step == 0:
            t = 1 - s
            velocity = velocity + 1000 * (2 * (1 - t + 1e-3) / (t + 1e-3)) * (1 - t) * slope * (alpha + sigma)
        x = (y + (s_2 - s) * velocity) * (alpha_2 + sigma_2)
    decoded = unet.vae.decode(x / unet.vae.config.scaling_factor).sample
    expected = np.asarray(unet.image_processor.postprocess(decoded)[0], dtype=float)
    two = SamplingOptions(2, 64, 64)
    assert np.abs(picture(unet, method, two) - expected).max() <= 1
    assert np.abs(plain(unet, two) - expected).max() > 3


@torch.no_grad()
def test_two_steps_of_a_flow_are_those_by_hand() -> None:
    pipe, method = made("sd3"), Focus(W, strength=1.0)
    size, two = pipe.vae_scale_factor, SamplingOptions(2, 8, 8)
    x = torch.randn((1, 16, 8 // size, 8 // size), generator=torch.Generator().manual_seed(3))
    pipe.scheduler.set_timesteps(2)
    encoded = [pipe.encode_prompt(text, None, None, do_classifier_free_guidance=False) for text in ("", PROMPT)]
    embeds, pooled = (torch.cat([one[place] for one in encoded]) for place in (0, 2))
    for step, time in enumerate(pipe.scheduler.timesteps):
        s, s_2 = pipe.scheduler.sigmas[step], pipe.scheduler.sigmas[step + 1]
        null, prompt = pipe.transformer(x.expand(2, -1, -1, -1), embeds, pooled, time.expand(2)).sample
        velocity = null + W * (prompt - null)
        if step == 0:
            slope = gradient(pipe, method, 8 // size // pipe.transformer.config.patch_size, x, step)
            t = 1 - s
            velocity = velocity + (2 * (1 - t + 1e-3) / (t + 1e-3)) * (1 - t) * slope
        x = x + (s_2 - s) * velocity
    decoded = pipe.vae.decode(x / pipe.vae.config.scaling_factor + pipe.vae.config.shift_factor).sample
    expected = np.asarray(pipe.image_processor.postprocess(decoded)[0], dtype=float)
    assert np.abs(picture(pipe, method, two) - expected).max() <= 1
    assert np.abs(plain(pipe, two) - expected).max() > 1


@torch.no_grad()
@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_the_gradient_is_the_slope_of_the_loss(method: AttentionMethod) -> None:
    pipe = tiny_stable_diffusion().to(torch.float64)
    pipe.scheduler.set_timesteps(4)
    draw = torch.Generator().manual_seed(5)
    x, way = (torch.randn((1, 4, 8, 8), generator=draw, dtype=torch.float64) for _ in range(2))
    ahead, behind = (loss_at(pipe, method, 4, x + small * way, 1) for small in (1e-5, -1e-5))
    expected = (ahead - behind) / 2e-5
    torch.testing.assert_close((gradient(pipe, method, 4, x, 1) * way).sum(), expected, rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_what_it_cannot_do_is_refused(method: AttentionMethod) -> None:
    with pytest.raises(UnsupportedPipeline, match=rf"{method.name} needs a .* or .*, got FluxPipeline"):
        method.check("FluxPipeline", UNET)
    with refuses("width", "must equal {height} (64)", 32):
        method.check("StableDiffusionPipeline", SamplingOptions(4, 64, 32))
    with refuses("resolution", "must be one of the denoiser's attention maps, 4, 8"):
        replace(method, resolution=16).bind(tiny_stable_diffusion(), UNET)


def test_focus_needs_to_know_the_noise_in_the_latents() -> None:
    with pytest.raises(UnsupportedPipeline, match=r"focus needs a scheduler of eps predictions"):
        Focus().bind(tiny_stable_diffusion("v_prediction"), UNET)
    assert SynGen(W).bind(tiny_stable_diffusion("v_prediction"), UNET)(PROMPT, CONCEPTS, 3).evaluations == 8 + 6


def test_costs_are_those_counted_by_hand() -> None:
    assert SynGen().evaluations_per_image(50, 2) == 100 + 25 * 3
    assert Focus().evaluations_per_image(28, 2) == 56 + 27 * 3
    assert Focus().evaluations_per_image(28, 1) == 56, "one subject alone is left as it is"
