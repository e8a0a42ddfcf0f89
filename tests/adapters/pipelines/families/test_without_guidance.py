"""Few steps without guidance, in every family whose guidance can be turned off, and in those that have none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch

from semguide import SGT, InvalidArgument, SGTv1, UnsupportedPipeline, steer
from semguide.guidance import Predictions, Step
from support.families.rows import OTHER, batch, marked
from support.families.run import ROWS, run
from support.families.table import FEW_STEPS, Family
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


@pytest.mark.parametrize("name", [name for name in FEW_STEPS if not FEW_STEPS[name].single])
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
