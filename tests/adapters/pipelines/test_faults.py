"""Faults of a run are told: a rule that never acts, NaN and infinity; scalars and attributes are what they are."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from semguide import SEGA, SGT, InvalidArgument, NotFinite, SemguideWarning, SGTv2, steer
from semguide.guidance import Rule
from support.tiny.calls import CONCEPTS, call, fresh


@pytest.mark.parametrize(
    ("rule", "concepts", "told"),
    [
        (SGTv2(), CONCEPTS, "sgt-v2 acts at none of the 3 steps"),
        (SEGA(warmup_steps=9), CONCEPTS, "sega acts at none of the 3 steps"),
        (SGT(start=0.51, stop=0.52), CONCEPTS, "sgt-balanced acts at none of the 3 steps"),
        (SGT(), CONCEPTS[:1], "the only concept is 'a red book', and sgt-balanced balances"),
        (SGT(), [CONCEPTS[0], CONCEPTS[0]], "the only concept is 'a red book'"),
    ],
)
def test_rule_that_never_acts_warns_once(loaded_sd: Any, rule: Rule[Any], concepts: list[str], told: str) -> None:
    pipe = fresh(loaded_sd)
    with pytest.warns(SemguideWarning, match=told) as caught:
        steered = call(steer(pipe, rule), concepts=concepts)
    assert sum(issubclass(item.category, SemguideWarning) for item in caught) == 1
    assert torch.equal(steered, call(pipe, guidance_scale=rule.guidance_scale))


def test_rule_that_acts_or_is_turned_off_does_not_warn(loaded_sd: Any) -> None:
    pipe = fresh(loaded_sd)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        call(steer(pipe, SGT()))
        call(steer(pipe, SGT(strength=0.0)))
        call(steer(pipe, SGT()), concepts=[])


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_prediction_that_is_not_finite_stops_with_its_step(loaded_sd: Any, value: float) -> None:
    pipe = fresh(loaded_sd, deep=True)

    def spoil(_pipe: Any, step: int, _timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        if step == 0:
            tensors["latents"] = torch.full_like(tensors["latents"], value)
        return tensors

    for rule in (SGT(), SGT(strength=0.0)):
        with pytest.raises(NotFinite, match=r"at step 2 made NaN or infinity, most likely .* half precision"):
            call(steer(pipe, rule), callback_on_step_end=spoil)


def test_decoder_that_overflows_is_named(loaded_sd: Any) -> None:
    pipe = fresh(loaded_sd, deep=True)
    with torch.no_grad():
        pipe.vae.decoder.conv_out.bias.fill_(float("nan"))
    with pytest.raises(NotFinite, match="the VAE of StableDiffusionPipeline"):
        call(steer(pipe, SGT()), output_type="pil")
    assert "decode" not in vars(pipe.vae)


def test_scalars_of_numpy_and_torch_are_numbers(loaded_sd: Any) -> None:
    rule = SGT(strength=np.float32(2.0), guidance_scale=torch.tensor(7.5))  # type: ignore[arg-type]
    assert rule == SGT(strength=2.0, guidance_scale=7.5)
    assert type(rule.strength) is type(rule.guidance_scale) is float
    pipe = fresh(loaded_sd)
    expected = call(steer(pipe, SGT()), guidance_scale=5.5)
    for scale in (np.float32(5.5), np.float64(5.5), torch.tensor(5.5)):
        assert torch.equal(call(steer(pipe, SGT()), guidance_scale=scale), expected)


def test_attributes_of_a_steered_pipeline_are_the_pipelines(loaded_sd: Any) -> None:
    from diffusers import EulerDiscreteScheduler

    pipe = fresh(loaded_sd)
    tuned = steer(pipe, SGT())
    tuned.scheduler = EulerDiscreteScheduler.from_config(pipe.scheduler.config)
    assert pipe.scheduler is tuned.scheduler
    assert isinstance(pipe.scheduler, EulerDiscreteScheduler)
    assert tuned.to("cpu") is tuned
    with pytest.raises(AttributeError, match="no_such"):
        _ = tuned.no_such


def test_image_to_image_without_a_step_left_gives_what_plain_gives(loaded_sd: Any) -> None:
    from diffusers import StableDiffusionImg2ImgPipeline

    pipe = StableDiffusionImg2ImgPipeline(**fresh(loaded_sd).components, requires_safety_checker=False)
    pipe.set_progress_bar_config(disable=True)
    given: dict[str, Any] = {"image": Image.new("RGB", (64, 64)), "strength": 0.05, "num_inference_steps": 10}
    plain = call(pipe, guidance_scale=7.5, **given)
    with pytest.warns(SemguideWarning, match="none of the 0 steps"):
        assert torch.equal(call(steer(pipe, SGT()), **given), plain)


def test_concepts_are_taken_encoded_where_there_is_no_text_encoder(loaded_sd: Any) -> None:
    whole, without = fresh(loaded_sd), fresh(loaded_sd)
    without.text_encoder = None

    def encoded(text: str) -> torch.Tensor:
        return whole.encode_prompt(text, "cpu", 1, False)[0]

    prompt = {"prompt_embeds": encoded("a red book and a yellow vase"), "negative_prompt_embeds": encoded("")}
    expected = call(steer(whole, SGT()), None, concepts=CONCEPTS, **prompt)
    embeds: dict[str, Any] = {text: {"prompt_embeds": encoded(text)} for text in CONCEPTS}
    assert torch.equal(call(steer(without, SGT()), None, concept_embeds=embeds, **prompt), expected)
    with pytest.raises(InvalidArgument, match="give 'a cat' in concept_embeds"):
        call(steer(without, SGT()), None, concepts=["a cat", "a dog"], **prompt)
    with pytest.raises(InvalidArgument, match="concept_embeds must hold prompt_embeds"):
        call(steer(without, SGT()), None, concept_embeds={"a cat": {}, "a dog": {}}, **prompt)
