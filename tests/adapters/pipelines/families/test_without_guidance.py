"""Few steps without guidance, in every family whose guidance can be turned off, and in those that have none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import IPNDMScheduler

from semguide import CFG, SGT, Edit, InvalidArgument, SemguideWarning, SGTv1, UnsupportedPipeline, steer
from semguide.guidance import Predictions, Step
from support.families.rows import OTHER, batch, marked
from support.families.run import ROWS, run
from support.families.table import FAMILIES, FEW_STEPS, Family
from support.refusals import refuses
from support.tiny.calls import CONCEPTS, PROMPT, noise

RULE = SGT(stop=0.5)
"""It acts at 2 of 3 steps."""
OFF: Mapping[str, Family] = {
    **{
        name: replace(row, arguments={**row.arguments, row.scale: row.off})
        for name, row in ROWS.items()
        if row.scale and "embedded" not in name
    },
    **FEW_STEPS,
}
every_row = pytest.mark.parametrize("name", [*marked(name for name in OFF if name in ROWS), *FEW_STEPS])


def latents(pipe: Any, name: str, prompt: Any = PROMPT, **changes: Any) -> torch.Tensor:
    """Return the latents of a call without guidance."""
    return run(pipe, replace(OFF[name], scale=""), prompt, **changes)


@every_row
def test_without_strength_the_latents_are_the_pipelines_own_to_the_bit(name: str) -> None:
    pipe = OFF[name].make()
    plain = latents(pipe, name)
    assert torch.equal(latents(steer(pipe, SGT(strength=0.0)), name, concepts=CONCEPTS), plain)
    moved = latents(steer(pipe, RULE), name, concepts=CONCEPTS)
    assert moved.isfinite().all()
    assert (moved - plain).abs().max() > 1e-4 * plain.abs().max()
    assert torch.equal(latents(pipe, name), plain)


@pytest.mark.parametrize("name", [name for name in OFF if name in {**FAMILIES, **FEW_STEPS}])
def test_each_image_of_a_batch_is_the_one_it_would_be_alone(name: str) -> None:
    pipe, row = OFF[name].make(), replace(OFF[name], scale="")
    tuned, texts = steer(pipe, RULE), [PROMPT, "a cat and a dog"]
    concepts = [CONCEPTS, ["a cat", "a dog"]]
    together = latents(tuned, name, texts, concepts=concepts, **batch(row))
    for i, text in enumerate(texts):
        alone = latents(tuned, name, text, concepts=concepts[i], generator=[noise(i)])
        assert torch.equal(together[i], alone[0])


@pytest.mark.parametrize("name", FEW_STEPS)
def test_a_rule_that_needs_guidance_is_refused(name: str) -> None:
    with pytest.raises((InvalidArgument, UnsupportedPipeline), match=r"no unconditional prediction.*BalancedSGT"):
        latents(steer(OFF[name].make(), SGTv1()), name, concepts=CONCEPTS)


@pytest.mark.parametrize("name", FEW_STEPS)
def test_a_concept_costs_one_evaluation_where_the_rule_acts(name: str) -> None:
    tuned, row = steer(OFF[name].make(), RULE), OFF[name]
    given = {"num_inference_steps": 4, "generator": noise(), "output_type": "latent", **row.arguments}
    assert tuned(PROMPT, concepts=CONCEPTS, **given).evaluations == [2 * 3 + 2]
    assert tuned(PROMPT, concepts=[OTHER], **given).evaluations == [4]


def test_the_refusal_names_argument_rule_and_remedy() -> None:
    remedy = "use BalancedSGT for a run without guidance"
    needs = "the pipeline makes no unconditional prediction, which sgt-v1 needs"
    for name, rule, argument, told, value in (
        ("flux-schnell", SGTv1(), "true_cfg_scale", f"must be given, > 1 (without it {needs})", None),
        ("sdxl-turbo", SGTv1(), "guidance_scale", f"must be > 1 (at 1 or below {needs})", 0.0),
        ("z-image-turbo", SGTv1(), "guidance_scale", f"must be > 0 (at 0 or below {needs})", 0.0),
    ):
        with refuses(argument, told, value) as caught:
            latents(steer(OFF[name].make(), rule), name, concepts=CONCEPTS)
        assert caught.value.remedy == remedy
    with refuses("guidance_scale", f"must be > 0 (at 0 or below {needs})", 0.0):
        steer(OFF["z-image-turbo"].make(), SGTv1(1.0))(PROMPT)
    for name in ("lcm", "sd-lcm-lora"):
        with refuses("uncond_every", "must be 1 for", 2):
            latents(steer(OFF[name].make(), SGT(uncond_every=2)), name, concepts=CONCEPTS)


def test_guidance_that_cannot_be_turned_off_is_refused_with_another_remedy() -> None:
    with refuses("guidance_scale", "must be > 1", 1.0) as caught:
        steer(ROWS["hunyuan-image"].make(), SGT(1.0))(PROMPT, height=16, width=16)
    assert caught.value.remedy == "give it more than 1"


def test_edits_are_refused_and_a_negative_prompt_is_told_to_change_nothing() -> None:
    pipe = OFF["sd-lcm-lora"].make()
    with pytest.raises(UnsupportedPipeline, match="edits are added to its guidance; raise guidance_scale"):
        latents(steer(pipe, RULE), "sd-lcm-lora", concepts=CONCEPTS, edits=[Edit("a hat")])
    with pytest.warns(SemguideWarning, match="negative_prompt changes nothing"):
        told = latents(steer(pipe, RULE), "sd-lcm-lora", concepts=CONCEPTS, negative_prompt="blurry")
    assert torch.equal(told, latents(steer(pipe, RULE), "sd-lcm-lora", concepts=CONCEPTS))


def test_images_have_a_trace_and_an_order_but_no_probability_which_is_fitted_under_guidance() -> None:
    given = {"num_inference_steps": 4, "generator": noise(), "output_type": "latent", "guidance_scale": 1.0}
    found = steer(OFF["sd-lcm-lora"].make(), RULE)(PROMPT, concepts=CONCEPTS, full_trace=True, **given)
    assert np.isfinite(found.trace.similarity[0]).all()
    assert (found.alignment, found.alignment_rank) == (None, [1])
    assert found.alignment_score[0] is not None


def test_plain_pictures_are_made_with_a_scheduler_that_no_rule_knows() -> None:
    pipe = OFF["sd-lcm-lora"].make()
    pipe.scheduler = IPNDMScheduler()
    plain = latents(pipe, "sd-lcm-lora")
    assert torch.equal(latents(steer(pipe, CFG()), "sd-lcm-lora", concepts=CONCEPTS), plain)
    with pytest.raises(UnsupportedPipeline, match="IPNDMScheduler"):
        latents(steer(pipe, RULE), "sd-lcm-lora", concepts=CONCEPTS)


def test_a_scale_that_is_off_leaves_embedded_guidance_as_it_is() -> None:
    pipe, row = ROWS["flux-embedded"].make(), ROWS["flux-embedded"]
    expected = run(steer(pipe, RULE), row, concepts=CONCEPTS)
    assert torch.equal(run(steer(pipe, RULE), row, concepts=CONCEPTS, true_cfg_scale=1.0), expected)


@pytest.mark.parametrize("name", ["sd-controlnet-img2img", "depth"])
def test_a_pipeline_that_does_not_give_a_u_net_its_scale_is_refused(name: str) -> None:
    pipe = next(row for key, row in ROWS.items() if name in key).make()
    pipe.unet.register_to_config(time_cond_proj_dim=8)
    with pytest.raises(UnsupportedPipeline, match=r"time_cond_proj_dim.*StableDiffusionPipeline"):
        steer(pipe, RULE)


@torch.no_grad()
def test_the_mean_of_the_concepts_stands_for_the_unconditional_prediction() -> None:
    pipe, row = OFF["sd-lcm-lora"].make(), OFF["sd-lcm-lora"]
    found = steer(pipe, RULE)(
        PROMPT, concepts=CONCEPTS, num_inference_steps=4, generator=noise(), output_type="latent", **row.arguments
    )
    generator, scheduler = noise(), pipe.scheduler
    scheduler.set_timesteps(4)
    x = torch.randn(found.images.shape, generator=generator)
    hidden = [pipe.encode_prompt(text, "cpu", 1, do_classifier_free_guidance=False)[0] for text in (PROMPT, *CONCEPTS)]
    for index, t in enumerate(scheduler.timesteps):
        prompt, *concepts = (pipe.unet(x, t, encoder_hidden_states=text).sample[0] for text in hidden)
        if index < 2:
            each = torch.stack(concepts)
            predictions = Predictions(each.mean(dim=0), prompt, each)
            prompt = prompt + RULE.correct(predictions, Step(index, 4, 1.0), None)[0].delta
        x = scheduler.step(prompt[None], t, x, generator=generator).prev_sample
    torch.testing.assert_close(found.images, x, rtol=1e-4, atol=1e-4)
