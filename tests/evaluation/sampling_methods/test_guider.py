"""Guiders of diffusers as sampling methods: in the pipeline's own loop, as in one by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from diffusers import guiders

from semguide import APG, steer
from semguide.errors import UnsupportedPipeline
from semguide.evaluation.sampling_methods import SamplingOptions
from semguide.evaluation.sampling_methods.base import sample_with_rule
from semguide.evaluation.sampling_methods.guider import Guider, guider_classes
from support.families.run import made
from support.refusals import refuses
from support.tiny.calls import CONCEPTS, PROMPT, fresh, noise

W = 4.0
THREE = SamplingOptions(3, 8, 8)
BLOCK = '{"indices": [0], "fqn": "mid_block.attentions.0.transformer_blocks", "skip_attention": %s, "skip_ff": %s, %s}'
OPTIONS = {
    "AutoGuidance": '{"auto_guidance_config": ' + BLOCK % ("true", "true", '"dropout": 0.5') + "}",
    "PerturbedAttentionGuidance": '{"perturbed_guidance_config": '
    + BLOCK % ("false", "false", '"skip_attention_scores": true')
    + "}",
    "SkipLayerGuidance": '{"skip_layer_config": ' + BLOCK % ("true", "true", '"dropout": 1.0') + "}",
    "SmoothedEnergyGuidance": '{"seg_guidance_config": '
    '{"indices": [0], "fqn": "mid_block.attentions.0.transformer_blocks"}, "seg_guidance_start": 0.0}',
}
FAILING = {"FrequencyDecoupledGuidance", "MagnitudeAwareGuidance"}
"""One asks for kornia, which is not installed; the other takes a norm over more dimensions than torch.norm does."""


def picture(pipe: Any, method: Any) -> np.ndarray:
    return np.asarray(method.bind(pipe, THREE)(PROMPT, [], 3).image, dtype=float)


def plain(pipe: Any) -> np.ndarray:
    generator = torch.Generator().manual_seed(3)
    arguments = {"num_inference_steps": 3, "guidance_scale": W, "height": 8, "width": 8, "generator": generator}
    return np.asarray(pipe(PROMPT, **arguments).images[0], dtype=float)


@pytest.mark.parametrize("family", ["sd", "sd3"])
def test_plain_guidance_by_a_guider_is_the_pipelines_own(family: str) -> None:
    assert np.abs(picture(made(family), Guider(W)) - plain(made(family))).max() <= 1


def test_projected_guidance_by_a_guider_is_that_of_the_rule() -> None:
    options = '{"adaptive_projected_guidance_momentum": -0.5, "eta": 0.0}'
    theirs = picture(made("sd"), Guider(W, "AdaptiveProjectedGuidance", options))
    ours = sample_with_rule(made("sd"), APG(W), THREE)(PROMPT, [], 3)
    assert np.abs(theirs - np.asarray(ours.image, dtype=float)).max() <= 1
    assert np.abs(theirs - plain(made("sd"))).max() > 2


def test_a_pipeline_is_steered_as_before_once_a_guider_has_had_its_hooks_in_it() -> None:
    name = "PerturbedAttentionGuidance"
    pipe = fresh(made("sd"), deep=True)
    given = {"concepts": CONCEPTS, "num_inference_steps": 2, "output_type": "latent"}
    before = steer(pipe)(PROMPT, generator=noise(), **given).images
    picture(pipe, Guider(W, name, OPTIONS[name]))
    assert torch.equal(steer(pipe)(PROMPT, generator=noise(), **given).images, before)


@pytest.mark.parametrize("name", sorted(set(guider_classes()) - FAILING))
def test_every_guider_makes_a_picture_at_the_cost_that_it_names(name: str) -> None:
    method = Guider(W, name, OPTIONS.get(name, "{}"))
    found = method.bind(made("sd"), THREE)(PROMPT, [], 3)
    assert found.evaluations == method.evaluations_per_image(3, 2) >= 6
    assert np.isfinite(np.asarray(found.image, dtype=float)).all()


def test_the_guiders_are_those_of_diffusers() -> None:
    assert {"AdaptiveProjectedGuidance", "TangentialClassifierFreeGuidance"} <= set(guider_classes())
    assert all(issubclass(kind, guiders.BaseGuidance) for kind in guider_classes().values())


@pytest.mark.parametrize(
    ("given", "argument", "words"),
    [
        ({"guider": "Magic"}, "guider", "must be one of AdaptiveProjectedGuidance"),
        ({"options": "[]"}, "options", "must be a JSON object"),
        ({"options": '{"eta": 1}'}, "options", "must be arguments of ClassifierFreeGuidance"),
        ({"options": '{"guidance_scale": 1}'}, "options", "must be arguments of ClassifierFreeGuidance"),
        ({"options": '{"start": 2.0}'}, "options", "must suit ClassifierFreeGuidance"),
        ({"guider": "AutoGuidance"}, "options", "must suit AutoGuidance"),
    ],
)
def test_what_no_guider_takes_is_refused(given: dict[str, str], argument: str, words: str) -> None:
    with refuses(argument, words):
        Guider(W, **given)


def test_pipelines_of_another_form_are_refused() -> None:
    with pytest.raises(UnsupportedPipeline, match="guider needs a pipeline that predicts"):
        Guider().check("FluxPipeline", THREE)
