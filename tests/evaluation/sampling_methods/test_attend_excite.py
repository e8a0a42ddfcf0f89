"""Attend-and-Excite: diffusers' pipeline to rounding, with the tokens that the concepts name, and its looks counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from semguide import decompose
from semguide.evaluation.sampling_methods import SamplingOptions
from semguide.evaluation.sampling_methods.attend_excite import AttendExcite
from semguide.models import load
from support.refusals import refuses
from support.tiny.stable_diffusion import save_tiny_checkpoint

PROMPT = "a red book and a yellow vase"
CONCEPTS = decompose(PROMPT)
W = 4.0
FOUR = SamplingOptions(4, 64, 64)


def loaded(name: str) -> Any:
    found: Any = load(name, device="cpu")
    found.set_progress_bar_config(disable=True)
    return found


@pytest.fixture(scope="module")
def pipe(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder: Path = save_tiny_checkpoint(tmp_path_factory.mktemp("excite") / "tiny-sd")
    return loaded(str(folder))


def plain(pipe: Any) -> np.ndarray:
    generator = torch.Generator().manual_seed(3)
    return np.asarray(pipe(PROMPT, num_inference_steps=4, guidance_scale=W, generator=generator).images[0], dtype=float)


def picture(pipe: Any, method: AttendExcite, concepts: Any = CONCEPTS) -> np.ndarray:
    return np.asarray(method.bind(pipe, FOUR)(PROMPT, concepts, 3).image, dtype=float)


def of_diffusers(pipe: Any, indices: list[int], **settings: Any) -> np.ndarray:
    """Return the picture of diffusers' pipeline, which is deprecated; skip where it is gone."""
    diffusers: Any = pytest.importorskip("diffusers")
    if not hasattr(diffusers, "StableDiffusionAttendAndExcitePipeline"):
        pytest.skip("diffusers has no Attend-and-Excite any more")
    parts = {name: part for name, part in pipe.components.items() if name != "image_encoder"}
    theirs = diffusers.StableDiffusionAttendAndExcitePipeline(**parts, requires_safety_checker=False)
    theirs.set_progress_bar_config(disable=True)
    before = pipe.unet.attn_processors
    try:
        image = theirs(
            PROMPT, indices, guidance_scale=W, generator=torch.Generator().manual_seed(3), **settings
        ).images[0]
    finally:
        pipe.unet.set_attn_processor(before)
    return np.asarray(image, dtype=float)


@pytest.mark.filterwarnings("ignore:torch.meshgrid")
@pytest.mark.parametrize(("side", "scale"), [(4, 50.0), (8, 400.0)])
def test_it_is_the_pipeline_of_diffusers_with_tokens_and_steps_counted_by_hand(pipe: Any, side: int, scale: float):
    indices = [len("<aredbook") - 1, len("<aredbookandayellowvase") - 1]  # a token per letter, k and e, after the start
    fixed = {"num_inference_steps": 4, "max_iter_to_alter": 3, "thresholds": {0: 0.05, 2: 0.3}}
    expected = of_diffusers(pipe, indices, **fixed, scale_factor=scale, attn_res=(side, side))
    method = AttendExcite(W, side, scale_factor=scale, stop=0.75, thresholds="0:0.05,0.5:0.3")
    found = picture(pipe, method)
    assert np.abs(found - expected).max() <= 1
    assert np.abs(found - plain(pipe)).max() > 4


@pytest.mark.filterwarnings("ignore:torch.meshgrid")
@pytest.mark.parametrize(("side", "scale"), [(4, 500.0), (8, 100.0)])
def test_it_is_the_pipeline_of_diffusers_on_the_embedded_checkpoint(side: int, scale: float):
    pipe = loaded("emoji-unet").to(torch.float64)  # repeated moves make rounding grow
    fixed = {"num_inference_steps": 6, "max_iter_to_alter": 3, "thresholds": {2: 0.05} if side == 8 else {}}
    expected = of_diffusers(pipe, [3, 7], **fixed, scale_factor=scale, attn_res=(side, side))
    pictures: list[np.ndarray] = []
    for stop, thresholds in ((0.5, "0.34:0.05" if side == 8 else ""), (0.0, "")):
        method = AttendExcite(W, side, scale_factor=scale, stop=stop, thresholds=thresholds)
        made = method.bind(pipe, SamplingOptions(6, 64, 64))(PROMPT, CONCEPTS, 3)
        pictures.append(np.asarray(made.image, dtype=float))
    moved, unmoved = pictures
    assert np.abs(moved - expected).max() <= 1
    assert np.abs(unmoved - expected).max() > 3


def test_off_it_is_the_pipeline_to_the_bit(pipe: Any) -> None:
    assert np.array_equal(picture(pipe, AttendExcite(W, scale_factor=0.0)), plain(pipe))
    assert np.array_equal(picture(pipe, AttendExcite(W), concepts=[]), plain(pipe))
    assert np.array_equal(picture(pipe, AttendExcite(W, stop=0.0, thresholds="")), plain(pipe))
    assert AttendExcite(scale_factor=0.0).evaluations_per_image(4, 2) == 8
    assert AttendExcite().evaluations_per_image(4, 2) is None


def test_a_gradient_counts_as_two_evaluations(pipe: Any) -> None:
    made = AttendExcite(W, stop=0.5, thresholds="").bind(pipe, FOUR)(PROMPT, CONCEPTS, 3)
    assert made.details == {"moves": 2}
    assert made.evaluations == 4 * 2 + 2 + 2 * 2  # guided steps, looks at the attention, gradients
    made = AttendExcite(W, stop=0.0, thresholds="0.25:0.999").bind(pipe, FOUR)(PROMPT, CONCEPTS, 3)
    assert made.details == {"moves": 20}
    assert made.evaluations == 4 * 2 + (20 + 1) + 20 * 2  # a look after each move and a first one


def test_maps_are_those_nearest_to_a_quarter_of_the_latents(pipe: Any) -> None:
    same = [picture(pipe, AttendExcite(W, side, thresholds="")) for side in (0, 4, 8)]
    assert np.array_equal(same[0], same[1])
    assert not np.array_equal(same[0], same[2])
    with refuses("resolution", "must be one of the denoiser's attention maps, 4, 8"):
        AttendExcite(resolution=16).bind(pipe, FOUR)


@pytest.mark.parametrize("thresholds", ["0.5", "a:b", "0:1.5", "1:0.5", "-0.1:0.5", "0:0.5;0.2:0.6"])
def test_thresholds_of_the_wrong_form_are_refused(thresholds: Any) -> None:
    with refuses("thresholds", "must be fractions of the steps"):
        AttendExcite(thresholds=thresholds)


@pytest.mark.parametrize(("name", "value"), [("scale_factor", -1.0), ("stop", 1.5), ("resolution", -4)])
def test_parameters_out_of_range_are_refused(name: str, value: Any) -> None:
    with refuses(name):
        AttendExcite(**{name: value})
