"""Perturbed-attention guidance: diffusers' pipelines and guider, which were written apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from diffusers import StableDiffusion3PAGPipeline, StableDiffusionPAGPipeline, StableDiffusionXLPAGPipeline

from semguide import steer
from semguide.errors import UnsupportedPipeline
from semguide.evaluation.sampling_methods import SamplingOptions
from semguide.evaluation.sampling_methods.guider import Guider
from semguide.evaluation.sampling_methods.pag import PAG, self_attentions
from support.families.run import made
from support.refusals import refuses
from support.tiny.calls import CONCEPTS, PROMPT, noise

W, S = 4.0, 5.0
SIZES = {"sd": 64, "sdxl": 64, "sd3": 8}  # pixels: several tokens in every block


def options(family: str = "sd") -> SamplingOptions:
    return SamplingOptions(3, SIZES[family], SIZES[family])


def picture(method: Any, family: str = "sd") -> np.ndarray:
    return np.asarray(method.bind(made(family), options(family))(PROMPT, [], 3).image, dtype=float)


def theirs(kind: Any, pipe: Any, layers: list[str]) -> Any:
    parts = {name: part for name, part in pipe.components.items() if name not in ("image_encoder", "feature_extractor")}
    extra: dict[str, Any] = {"requires_safety_checker": False, "feature_extractor": None}
    extra = extra if "safety_checker" in parts else {}
    found: Any = kind(**parts, **extra, pag_applied_layers=layers)
    found.set_progress_bar_config(disable=True)
    return found


def arguments(family: str = "sd") -> dict[str, Any]:
    size = SIZES[family]
    generator = torch.Generator().manual_seed(3)
    return {"num_inference_steps": 3, "guidance_scale": W, "height": size, "width": size, "generator": generator}


def plain(family: str = "sd") -> np.ndarray:
    return np.asarray(made(family)(PROMPT, **arguments(family)).images[0], dtype=float)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of a scheduler of diffusers
@pytest.mark.parametrize(
    ("family", "kind", "denoiser", "theirs_layers", "layers"),
    [
        ("sd", StableDiffusionPAGPipeline, "unet", ["mid"], ""),
        ("sd", StableDiffusionPAGPipeline, "unet", ["mid", "up_blocks.1"], "mid_block,up_blocks.1"),
        ("sdxl", StableDiffusionXLPAGPipeline, "unet", ["mid"], ""),
        ("sd3", StableDiffusion3PAGPipeline, "transformer", ["blocks.1"], "transformer_blocks.1"),
    ],
)
def test_it_makes_the_picture_of_the_pipeline_of_diffusers(
    family: str, kind: Any, denoiser: str, theirs_layers: list[str], layers: str
) -> None:
    pipe = made(family)
    before = dict(getattr(pipe, denoiser).attn_processors)
    expected = theirs(kind, pipe, theirs_layers)(PROMPT, pag_scale=S, **arguments(family)).images[0]
    getattr(pipe, denoiser).set_attn_processor(before)
    found = picture(PAG(W, S, layers), family)
    assert np.abs(found - np.asarray(expected, dtype=float)).max() <= 1
    assert np.abs(found - plain(family)).max() > 2


def test_the_guider_of_diffusers_through_the_other_door_makes_the_same_picture() -> None:
    """Its window begins after the first step: it perturbs at step 1 and 2 of 3."""
    config = '{"indices": [0], "fqn": "mid_block.attentions.0.transformer_blocks", "skip_attention": false, '
    config += '"skip_attention_scores": true, "skip_ff": false}'
    given = f'{{"perturbed_guidance_scale": {S}, "perturbed_guidance_config": {config}, '
    given += '"perturbed_guidance_start": 0.0, "perturbed_guidance_stop": 1.0}'
    other = Guider(W, "PerturbedAttentionGuidance", given)
    found = picture(PAG(W, S, start=1 / 3))
    assert np.abs(found - picture(other)).max() <= 1
    assert np.abs(found - plain()).max() > 2
    assert other.evaluations_per_image(3, 0) == PAG(W, S, start=1 / 3).evaluations_per_image(3, 0) == 8


@pytest.mark.parametrize("method", [PAG(W, 0.0), PAG(W, stop=0.0)])
def test_off_it_is_plain_guidance(method: PAG) -> None:
    assert np.abs(picture(method) - plain()).max() <= 1


@pytest.mark.parametrize(("method", "cost"), [(PAG(W), 9), (PAG(W, stop=0.5), 8), (PAG(1.0), 6), (PAG(W, 0.0), 6)])
def test_what_it_evaluates_is_counted(method: PAG, cost: int) -> None:
    assert method.bind(made("sd"), options())(PROMPT, [], 3).evaluations == cost
    assert method.evaluations_per_image(3, 2) == cost


def test_the_pipeline_is_left_as_it_was() -> None:
    pipe = made("sd")
    before = pipe.unet.attn_processors
    tuned = steer(pipe)
    given = {"concepts": CONCEPTS, "num_inference_steps": 2, "output_type": "latent"}
    first = tuned(PROMPT, generator=noise(), **given).images
    picture(PAG(W))
    assert pipe.unet.attn_processors == before
    assert torch.equal(tuned(PROMPT, generator=noise(), **given).images, first)


def test_blocks_are_those_whose_names_begin_so() -> None:
    unet, transformer = made("sd").unet, made("sd3").transformer
    assert self_attentions(unet, "") == self_attentions(unet, "mid_block")
    assert len(self_attentions(transformer, "")) == 1
    assert len(self_attentions(transformer, "transformer_blocks")) == len(transformer.transformer_blocks)
    with refuses("layers", "must begin names of the denoiser's blocks", "mid"):
        self_attentions(unet, "mid")


def test_other_pipelines_and_windows_are_refused() -> None:
    with pytest.raises(UnsupportedPipeline, match="pag needs a StableDiffusionPipeline or"):
        PAG().check("FluxPipeline", options())
    with refuses("stop"):
        PAG(start=0.5, stop=0.2)
