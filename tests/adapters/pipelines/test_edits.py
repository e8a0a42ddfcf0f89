"""Edits in a pipeline: equal to diffusers' SEGA, beside any rule, counted, and refused where they cannot be."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

from semguide import CDG, CFG, SGT, Edit, Edits, UnsupportedPipeline, steer
from support.families.run import ROWS, made, run
from support.refusals import refuses
from support.tiny.calls import CONCEPTS, PROMPT, STEPS, call, noise

TWO = (Edit("a hat", start=0.0), Edit("snow", "less", scale=3.0, start=0.0))


@pytest.fixture(scope="module")
def double_sd(loaded_sd: Any) -> Any:
    from diffusers import DDIMScheduler

    pipe = copy.deepcopy(loaded_sd).to(torch.float64)
    pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
    return pipe


def windows_of(edits: Edits, steps: int) -> dict[str, list[int]]:
    """Return the windows as diffusers counts them."""
    return {
        "edit_warmup_steps": [round(edit.start * steps) for edit in edits.each],
        "edit_cooldown_steps": [round(edit.stop * steps) for edit in edits.each],
    }


@pytest.mark.filterwarnings("ignore:__array:DeprecationWarning")  # NumPy arrays of tensors in diffusers' schedulers
@pytest.mark.parametrize(
    "edits",
    [
        Edits((Edit("a hat", start=0.0), Edit("snow", "less", start=0.0))),
        Edits((Edit("a hat", scale=4.0, threshold=0.8, start=1 / 3, weight=0.7), Edit("snow", "less", 7.0, 0.5, 0.0))),
        Edits((Edit("a hat", stop=0.5, start=0.0), Edit("snow", "less", start=0.5)), 0.6, 0.2),
        Edits((Edit("a hat", stop=0.5, start=0.0), Edit("a bow", start=1 / 6), Edit("snow", "less", start=0.5)), 0.0),
        Edits((Edit("a hat", start=1 / 6, stop=0.5),), 0.9, 0.7),
    ],
    ids=["defaults", "weights", "windows", "no-momentum", "ended"],
)
def test_edits_beside_plain_guidance_are_the_authors_pipeline(double_sd: Any, edits: Edits) -> None:
    from diffusers import SemanticStableDiffusionPipeline

    size = double_sd.unet.config.sample_size
    latents = torch.randn((1, 4, size, size), generator=noise(), dtype=torch.float64)
    shared: dict[str, Any] = {"num_inference_steps": 6, "output_type": "latent", "latents": latents}
    parts = {name: part for name, part in double_sd.components.items() if name != "image_encoder"}
    reference: Any = SemanticStableDiffusionPipeline(**parts, requires_safety_checker=False)
    reference.set_progress_bar_config(disable=True)
    theirs = reference(
        PROMPT,
        guidance_scale=4.0,
        editing_prompt=[edit.text for edit in edits.each],
        reverse_editing_direction=[edit.direction == "less" for edit in edits.each],
        edit_guidance_scale=[edit.scale for edit in edits.each],
        edit_threshold=[edit.threshold for edit in edits.each],
        edit_weights=[edit.weight for edit in edits.each],
        edit_momentum_scale=edits.momentum_scale,
        edit_mom_beta=edits.momentum_beta,
        **windows_of(edits, 6),
        **shared,
    ).images
    ours = steer(double_sd, CFG(guidance_scale=4.0))(PROMPT, edits=edits, concepts=[], **shared).images
    plain = double_sd(PROMPT, guidance_scale=4.0, **shared).images
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-9 * float(theirs.abs().max()))
    assert (ours - plain).abs().max() > 1e-3 * theirs.abs().max()


def test_edits_change_what_a_rule_makes_and_cost_an_evaluation_each(pipe: Any) -> None:
    steered = steer(pipe, SGT(stop=0.5))
    given: dict[str, Any] = {"concepts": CONCEPTS, "num_inference_steps": STEPS, "output_type": "pt"}
    plain = steered(PROMPT, generator=noise(), **given)
    edited = steered(PROMPT, generator=noise(), edits=TWO, **given)
    assert not torch.allclose(edited.images, plain.images, atol=1e-3)
    assert edited.evaluations[0] == plain.evaluations[0] + 2 * STEPS
    assert edited.trace.concepts == plain.trace.concepts


def test_no_edits_are_the_rule_to_the_bit(pipe: Any) -> None:
    assert torch.equal(call(steer(pipe, SGT()), edits=[]), call(steer(pipe, SGT())))


def test_each_edited_image_of_a_batch_is_the_one_it_would_be_alone(pipe: Any) -> None:
    steered = steer(pipe, SGT(stop=1.0))
    prompts = [PROMPT, "a cat"]
    given: dict[str, Any] = {"num_inference_steps": STEPS, "output_type": "pt", "edits": TWO}
    together = steered(prompts, generator=[noise(0), noise(1)], **given).images
    for i, prompt in enumerate(prompts):
        assert torch.equal(together[i], steered(prompt, generator=noise(i), **given).images[0])


def test_edits_of_a_batch_in_one_call_are_equal_to_rounding(pipe: Any) -> None:
    given: dict[str, Any] = {"num_inference_steps": STEPS, "output_type": "pt", "edits": TWO}
    images = [
        steer(pipe, SGT(), batch_invariant=apart)([PROMPT, "a cat"], generator=[noise(0), noise(1)], **given).images
        for apart in (True, False)
    ]
    torch.testing.assert_close(images[0], images[1], rtol=0, atol=1e-3)


@pytest.mark.parametrize("name", ["sd3", "flux", "pixart-sigma", "wan", "qwen-image"])
def test_every_kind_of_guided_pipeline_can_be_edited(name: str) -> None:
    pipe, family = made(name), ROWS[name]
    tuned = steer(pipe, CFG())
    edited, plain = run(tuned, family, edits=TWO), run(tuned, family)
    assert edited.isfinite().all()
    assert (edited - plain).abs().max() > 1e-3 * plain.abs().max()


def test_a_budget_pays_for_edits(sd: Any) -> None:
    steered = steer(sd, CFG())
    result = steered(PROMPT, edits=TWO, evaluations=24, output_type="latent", generator=noise())
    assert result.evaluations == [24]
    assert result.trace.similarity[0].shape[0] == 6


def test_edits_are_refused_where_they_cannot_be(sd: Any) -> None:
    with refuses("edits", "cdg"):
        call(steer(sd, CDG()), edits=TWO)
    with refuses("edits", "must be a list"):
        call(steer(sd, SGT()), edits="a hat")


def test_edits_are_refused_where_the_scale_is_an_input_of_the_denoiser() -> None:
    name = next(name for name in ROWS if "embedded" in name)
    with pytest.raises(UnsupportedPipeline, match="edits are added to classifier-free guidance"):
        run(steer(made(name), SGT()), ROWS[name], edits=TWO)
