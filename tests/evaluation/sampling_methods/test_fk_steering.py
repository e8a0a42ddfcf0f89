"""Feynman-Kac steering: particles that are redrawn by their reward, whichever it is."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from PIL.Image import Image

from semguide import decompose
from semguide.errors import UnsupportedPipeline
from semguide.evaluation.metrics.clip import load_clip
from semguide.evaluation.sampling_methods import SampledImage, SamplingOptions
from semguide.evaluation.sampling_methods.best_of import clip_folder
from semguide.evaluation.sampling_methods.fk_steering import FKSteering, draw, potentials
from support.refusals import refuses
from support.tiny.stable_diffusion import tiny_stable_diffusion

SAMPLING = SamplingOptions(num_inference_steps=6, height=64, width=64)
PROMPT = "a cat and a dog"
CONCEPTS = decompose(PROMPT)
W = 4.0
REWARDS = [
    FKSteering(W, 3, strength=100.0),
    FKSteering(W, 3, reward="detector", stop=0.5),
    FKSteering(W, 3, reward="signals", stop=0.5, rule="sgt"),
]


@pytest.fixture(scope="module")
def pipe() -> Any:
    found = tiny_stable_diffusion()
    found.set_progress_bar_config(disable=True)
    return found


def make(pipe: Any, method: FKSteering, seed: int = 1) -> SampledImage:
    return method.bind(pipe, SAMPLING)(PROMPT, CONCEPTS, seed)


def details(made: SampledImage) -> dict[str, Any]:
    assert made.details is not None
    return made.details


@torch.no_grad()
def by_hand(pipe: Any, copies: dict[int, list[int]], kept: int, seed: int = 1) -> np.ndarray:
    """Return the picture of one of three particles of DDIM with eta 1, redrawn as told after some steps."""
    generators = [torch.Generator().manual_seed(seed + 10_000 * index) for index in range(3)]

    def noise() -> torch.Tensor:
        return torch.cat([torch.randn((1, 4, 8, 8), generator=each) for each in generators])

    x, embeds = noise(), [pipe.encode_prompt(text, "cpu", 1, False)[0].expand(3, -1, -1) for text in ("", PROMPT)]
    pipe.scheduler.set_timesteps(6)
    times, kept_of = pipe.scheduler.timesteps, pipe.scheduler.alphas_cumprod
    for step, time in enumerate(times):
        now = kept_of[time]
        later = kept_of[times[step + 1]] if step < 5 else pipe.scheduler.final_alpha_cumprod
        null, prompt = pipe.unet(torch.cat([x, x]), time, torch.cat(embeds)).sample.chunk(2)
        eps = null + W * (prompt - null)
        image = (x - (1 - now).sqrt() * eps) / now.sqrt()
        variance = (1 - later) / (1 - now) * (1 - now / later)
        x = later.sqrt() * image + (1 - later - variance).sqrt() * eps + variance.sqrt() * noise()
        x = x[copies[step]] if step in copies else x
    decoded = pipe.vae.decode(x[kept : kept + 1] / pipe.vae.config.scaling_factor).sample
    return np.asarray(pipe.image_processor.postprocess(decoded)[0], dtype=float)


def test_the_image_is_that_of_particles_redrawn_by_hand(pipe: Any) -> None:
    method = FKSteering(W, 3, strength=1000.0)
    made = make(pipe, method)
    told = details(made)
    copies = {look["step"]: look["copies"] for look in told["looks"]}
    assert list(copies) == method.looks(6) == [1, 2, 3, 4]
    assert any(len(set(chosen)) < 3 for chosen in copies.values())
    picture = np.asarray(made.image, dtype=float)
    assert np.abs(by_hand(pipe, copies, told["kept"]) - picture).max() <= 1
    assert np.abs(by_hand(pipe, {}, told["kept"]) - picture).max() > 3


@pytest.mark.parametrize("method", REWARDS, ids=lambda method: method.reward)
def test_the_image_is_the_particle_of_the_highest_reward_and_costs_what_is_stated(pipe: Any, method: FKSteering):
    made = make(pipe, method)
    told = details(made)
    assert told["rewards"][told["kept"]] == max(told["rewards"])
    assert made.evaluations == method.evaluations_per_image(6, len(CONCEPTS))
    assert np.array_equal(np.asarray(make(pipe, method).image), np.asarray(made.image))


def test_the_reward_of_the_image_is_the_clip_s_similarity_with_the_prompt(pipe: Any) -> None:
    made = make(pipe, REWARDS[0])
    clip = load_clip(clip_folder("emoji-clip"), "cpu")
    assert isinstance(made.image, Image)
    expected = float(clip.texts([PROMPT])[0] @ clip.image(made.image))
    assert max(details(made)["rewards"]) == pytest.approx(expected)


def test_one_particle_without_random_steps_is_the_pipeline(pipe: Any) -> None:
    made = make(pipe, FKSteering(W, 1, eta=0.0))
    generator = torch.Generator().manual_seed(1)
    plain = pipe(PROMPT, num_inference_steps=6, guidance_scale=W, generator=generator).images[0]
    assert np.array_equal(np.asarray(made.image), np.asarray(plain))
    assert details(made)["looks"] == []
    assert made.evaluations == 12


def test_the_pipeline_stays_as_it_was(pipe: Any) -> None:
    step = pipe.scheduler.step
    make(pipe, REWARDS[0])
    assert pipe.scheduler.step == step


def test_a_copy_goes_on_with_the_history_of_what_it_is_a_copy_of(pipe: Any) -> None:
    told = details(make(pipe, FKSteering(W, 3, reward="detector", start=0.34, stop=0.34, every=1.0, strength=1e6)))
    (look,) = told["looks"]
    best = max(range(3), key=look["rewards"].__getitem__)
    assert look["copies"] == [best] * 3
    assert told["rewards"] == pytest.approx([look["rewards"][best]] * 3)


def test_potentials_are_those_of_the_paper() -> None:
    first, second = torch.tensor([0.1, 0.5]), torch.tensor([0.4, 0.3])
    weights, before = potentials(first, None, "max")
    assert torch.equal(weights, first)
    weights, before = potentials(second, before, "max")
    assert torch.equal(weights, torch.tensor([0.4, 0.5]))
    assert torch.equal(before, weights)
    _, before = potentials(first, None, "difference")
    weights, before = potentials(second, before, "difference")
    assert torch.allclose(weights, torch.tensor([0.3, -0.2]))
    assert torch.equal(before, second)


def test_particles_are_drawn_as_often_as_their_weights_say() -> None:
    generator = torch.Generator().manual_seed(0)
    weights = torch.tensor([0.0, 0.2, 0.1]).double()
    drawn = Counter(int(index) for _ in range(2000) for index in draw(weights, 5.0, generator))
    expected = torch.exp(5 * weights) / torch.exp(5 * weights).sum()
    assert [drawn[index] / 6000 for index in range(3)] == pytest.approx(expected.tolist(), abs=0.02)


def test_looks_are_at_fractions_of_the_steps() -> None:
    assert FKSteering().looks(100) == [20, 40, 60, 80]
    assert FKSteering().looks(25) == [5, 10, 15, 20]
    assert FKSteering(start=0.5, stop=0.4).looks(25) == []
    assert FKSteering(start=0.9, stop=1.0, every=0.1).looks(10) == []


def test_the_costs_are_those_counted_by_hand() -> None:
    assert FKSteering().evaluations_per_image(25, 2) == 4 * 50
    assert FKSteering(reward="detector", stop=0.4).evaluations_per_image(25, 2) == 4 * (10 * 4 + 15 * 2)


def test_what_it_cannot_do_is_refused(pipe: Any) -> None:
    with pytest.raises(UnsupportedPipeline, match="fk-steering needs a StableDiffusionPipeline, got FluxPipeline"):
        FKSteering().check("FluxPipeline", SAMPLING)
    from diffusers import PNDMScheduler

    other = tiny_stable_diffusion()
    other.scheduler = PNDMScheduler()
    with pytest.raises(UnsupportedPipeline, match="got PNDMScheduler"):
        FKSteering().bind(other, SAMPLING)
    with refuses("method"):
        FKSteering(rule="cgf")
    with refuses("clip"):
        FKSteering(clip="/nowhere").identity()
    with refuses("reward"):
        replace(FKSteering(), reward="beauty")


def test_what_else_decides_the_images_is_in_the_identity() -> None:
    assert FKSteering().identity()["reward"].startswith("sha256:")
    assert FKSteering(reward="signals", stop=0.4).identity()["reward"] == "SignalScore(stop=0.4)"
    assert FKSteering(rule="sgt").identity()["rule"]["guidance_scale"] == 7.5
