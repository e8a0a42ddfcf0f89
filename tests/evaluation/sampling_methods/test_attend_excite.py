"""Attend-and-Excite: diffusers' pipeline, with the tokens that the concepts name, counted and taken off again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionAttendAndExcitePipeline

from semguide import decompose
from semguide.errors import UnsupportedPipeline
from semguide.evaluation.sampling_methods import SamplingOptions
from semguide.evaluation.sampling_methods.attend_excite import AttendExcite, noun_token_index
from semguide.models import load
from semguide.types import Concept
from support.refusals import refuses
from support.tiny.stable_diffusion import save_tiny_checkpoint
from support.tiny.tokenizers import clip_tokenizer

PROMPT = "a red book and a yellow vase"
CONCEPTS = decompose(PROMPT)
PLACES = [len("<aredbook") - 1, len("<aredbookandayellowvase") - 1]  # a token per letter, k and e, after the start
W = 4.0
FOUR = SamplingOptions(4, 64, 64)


@pytest.fixture(scope="module")
def pipe(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder: Path = save_tiny_checkpoint(tmp_path_factory.mktemp("excite") / "tiny-sd")
    made: Any = load(str(folder), device="cpu")
    made.set_progress_bar_config(disable=True)
    return made


def plain(pipe: Any) -> np.ndarray:
    generator = torch.Generator().manual_seed(3)
    return np.asarray(pipe(PROMPT, num_inference_steps=4, guidance_scale=W, generator=generator).images[0], dtype=float)


def picture(pipe: Any, method: AttendExcite, concepts: Any = CONCEPTS) -> np.ndarray:
    return np.asarray(method.bind(pipe, FOUR)(PROMPT, concepts, 3).image, dtype=float)


@pytest.mark.filterwarnings("ignore:torch.meshgrid")
def test_it_is_the_pipeline_of_diffusers_with_tokens_and_steps_counted_by_hand(pipe: Any) -> None:
    parts = {name: part for name, part in pipe.components.items() if name != "image_encoder"}
    theirs: Any = StableDiffusionAttendAndExcitePipeline(**parts, requires_safety_checker=False)
    theirs.set_progress_bar_config(disable=True)
    before = pipe.unet.attn_processors
    expected = theirs(
        PROMPT,
        PLACES,
        num_inference_steps=4,
        guidance_scale=W,
        generator=torch.Generator().manual_seed(3),
        max_iter_to_alter=3,
        thresholds={0: 0.05, 2: 0.3},
        scale_factor=50.0,
        attn_res=(4, 4),
    ).images[0]
    pipe.unet.set_attn_processor(before)
    found = picture(pipe, AttendExcite(W, 50.0, 0.75, "0:0.05,0.5:0.3", 4))
    assert np.array_equal(found, np.asarray(expected, dtype=float))
    assert np.abs(found - plain(pipe)).max() > 1


def test_off_it_is_the_pipeline_to_the_bit(pipe: Any) -> None:
    assert np.array_equal(picture(pipe, AttendExcite(W, scale_factor=0.0)), plain(pipe))
    assert np.array_equal(picture(pipe, AttendExcite(W), concepts=[]), plain(pipe))
    assert AttendExcite(scale_factor=0.0).evaluations_per_image(4, 2) == 8
    assert AttendExcite().evaluations_per_image(4, 2) is None


def test_without_moves_it_is_plain_guidance_to_rounding(pipe: Any) -> None:
    assert np.abs(picture(pipe, AttendExcite(W, stop=0.0, thresholds="")) - plain(pipe)).max() <= 1


def test_a_gradient_counts_as_two_evaluations(pipe: Any) -> None:
    made = AttendExcite(W, stop=0.5, thresholds="").bind(pipe, FOUR)(PROMPT, CONCEPTS, 3)
    assert made.details == {"moves": 2}
    assert made.evaluations == 4 * 2 + 4 + 2 * 2  # guided steps, looks at the attention, gradients
    made = AttendExcite(W, stop=0.0, thresholds="0.25:0.999").bind(pipe, FOUR)(PROMPT, CONCEPTS, 3)
    assert made.details == {"moves": 20}
    assert made.evaluations == 4 * 2 + 4 + (20 + 1) + 20 * 2  # a look after each move and a last one


def test_the_pipeline_stays_as_it_was_also_after_an_error(pipe: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before, processors = plain(pipe), pipe.unet.attn_processors
    method = AttendExcite(W, thresholds="")
    assert np.array_equal(picture(pipe, method), picture(pipe, method))

    def broken(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("no step")

    with monkeypatch.context() as context:
        context.setattr(pipe.scheduler, "step", broken)
        with pytest.raises(RuntimeError, match="no step"):
            picture(pipe, method)
    assert pipe.unet.attn_processors == processors
    assert not pipe.unet._forward_pre_hooks
    assert np.array_equal(plain(pipe), before)


def test_the_place_is_that_of_the_nouns_last_token() -> None:
    tokenizer = clip_tokenizer()
    assert [noun_token_index(tokenizer, PROMPT, concept) for concept in CONCEPTS] == PLACES
    (glass,) = decompose("a glass of milk")[:1]
    assert noun_token_index(tokenizer, "a glass of milk", glass) == len("<aglass") - 1
    phrase = Concept("red thing", span=(2, 11))
    assert noun_token_index(tokenizer, "a red thing", phrase) == len("<aredthing") - 1
    with refuses("concepts", "must stand in the prompt for attend-excite", "a dog"):
        noun_token_index(tokenizer, PROMPT, Concept("a dog"))


def test_maps_are_those_nearest_to_a_quarter_of_the_latents(pipe: Any) -> None:
    same = [picture(pipe, AttendExcite(W, thresholds="", resolution=side)) for side in (0, 4, 8)]
    assert np.array_equal(same[0], same[1])
    assert not np.array_equal(same[0], same[2])
    with refuses("resolution", "must be one of the U-Net's attention maps, 4, 8"):
        AttendExcite(resolution=16).bind(pipe, FOUR)


def test_what_it_cannot_do_is_refused() -> None:
    with pytest.raises(UnsupportedPipeline, match="attend-excite needs a StableDiffusionPipeline, got FluxPipeline"):
        AttendExcite().check("FluxPipeline", FOUR)
    with refuses("width", "must equal {height} (64)", 32):
        AttendExcite().check("StableDiffusionPipeline", SamplingOptions(4, 64, 32))
    wrong: list[tuple[str, Any]] = [("scale_factor", -1.0), ("stop", 1.5), ("resolution", -4), ("resolution", 2.5)]
    for name, value in wrong:
        with refuses(name):
            AttendExcite(**{name: value})


@pytest.mark.parametrize("thresholds", ["0.5", "a:b", "0:1.5", "1:0.5", "-0.1:0.5", "0:0.5;0.2:0.6"])
def test_thresholds_of_the_wrong_form_are_refused(thresholds: Any) -> None:
    with refuses("thresholds", "must be fractions of the steps"):
        AttendExcite(thresholds=thresholds)
