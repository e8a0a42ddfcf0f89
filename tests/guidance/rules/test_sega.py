"""The formula of SEGA, by hand and against the authors' pipeline in diffusers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from semguide.adapters import steer
from semguide.guidance import SEGA, Step
from support.rule_cases import deltas, hand_predictions
from support.tiny.stable_diffusion import save_tiny_checkpoint

ONE = hand_predictions([3, 4, 0], [1, 2, -4])


def test_guidance_below_the_quantile_is_dropped() -> None:
    rule = SEGA(concept_guidance_scale=2.0, concept_percentile=0.5, warmup_steps=0)
    correction, _ = rule.correct(ONE, Step(0, 10, 7.5), None)
    assert correction.delta.flatten().tolist() == [0, 4, -8]
    assert correction.gate.tolist() == [1]
    assert correction.weight.tolist() == [2]
    assert correction.similarity.tolist() == pytest.approx([11 / (5 * 21**0.5)])


def test_edits_are_summed() -> None:
    rule = SEGA(concept_guidance_scale=1.0, concept_percentile=1.0, warmup_steps=0)
    correction, _ = rule.correct(hand_predictions([1, 1], [3, 2], [0, 5]), Step(0, 10, 7.5), None)
    assert correction.delta.flatten().tolist() == [3, 5]


def test_momentum_is_built_up_during_the_warmup() -> None:
    rule = SEGA(concept_guidance_scale=1.0, concept_percentile=1.0, warmup_steps=1, momentum_scale=0.5)
    found = [delta.flatten().tolist() for delta in deltas(rule, [ONE] * 3)]
    assert found[0] == [0, 0, 0]
    assert found[1] == pytest.approx([0, 0, -5.2])  # v = 0.6 * -4 = -2.4; -4 + 0.5 v
    assert found[2] == pytest.approx([0, 0, -6.04])  # v = 0.4 * -2.4 + 0.6 * -5.2 = -4.08; -4 + 0.5 v


@pytest.mark.parametrize(
    ("parameters", "count", "needed"),
    [
        ({}, 12, range(12)),
        ({}, 10, []),  # the warm-up never ends
        ({"momentum_scale": 0.0}, 12, [10, 11]),
        ({"momentum_beta": 1.0}, 12, [10, 11]),  # the momentum stays 0
        ({"momentum_beta": 0.0}, 12, range(12)),
    ],
)
def test_concepts_are_needed_in_the_warmup_only_for_momentum(
    parameters: dict[str, float], count: int, needed: list[int]
) -> None:
    rule = SEGA(**parameters)  # type: ignore[arg-type]
    assert [step for step in range(count) if rule.needs_concepts(step, count, 2)] == list(needed)


@pytest.fixture(scope="module")
def double_sd(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from diffusers import DDIMScheduler, StableDiffusionPipeline

    folder: Path = save_tiny_checkpoint(tmp_path_factory.mktemp("sega") / "tiny-sd")
    pipe = StableDiffusionPipeline.from_pretrained(folder).to(torch.float64)
    pipe.set_progress_bar_config(disable=True)
    pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
    return pipe


@pytest.mark.filterwarnings("ignore:__array:DeprecationWarning")  # NumPy arrays of tensors in diffusers' schedulers
@pytest.mark.parametrize(
    "rule",
    [
        SEGA(warmup_steps=2),
        SEGA(
            guidance_scale=4.0,
            concept_guidance_scale=3.0,
            concept_percentile=0.7,
            warmup_steps=0,
            momentum_scale=0.6,
            momentum_beta=0.2,
        ),
        SEGA(warmup_steps=6),
    ],
    ids=["late", "momentum", "never"],
)
def test_images_are_those_of_the_authors_pipeline(double_sd: Any, rule: SEGA) -> None:
    from diffusers import SemanticStableDiffusionPipeline

    concepts = ["a red book", "a yellow vase"]
    size = double_sd.unet.config.sample_size
    noise = torch.randn((1, 4, size, size), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    shared: dict[str, Any] = {"num_inference_steps": 6, "output_type": "latent", "latents": noise}
    prompt = "a red book and a yellow vase"
    parts = {name: part for name, part in double_sd.components.items() if name != "image_encoder"}
    reference: Any = SemanticStableDiffusionPipeline(**parts, requires_safety_checker=False)
    reference.set_progress_bar_config(disable=True)
    theirs = reference(
        prompt,
        guidance_scale=rule.guidance_scale,
        editing_prompt=concepts,
        edit_guidance_scale=rule.concept_guidance_scale,
        edit_threshold=rule.concept_percentile,
        edit_warmup_steps=rule.warmup_steps,
        edit_momentum_scale=rule.momentum_scale,
        edit_mom_beta=rule.momentum_beta,
        **shared,
    ).images
    ours = steer(double_sd, rule)(prompt, concepts=concepts, **shared).images
    plain = double_sd(prompt, guidance_scale=rule.guidance_scale, **shared).images
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-9 * float(theirs.abs().max()))
    if rule.warmup_steps == 6:
        assert torch.equal(ours, plain)
    else:
        assert (ours - plain).abs().max() > 1e-3 * theirs.abs().max()
