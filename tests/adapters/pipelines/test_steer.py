"""What a rule changes, and that nothing else does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch

from semguide import CFG, SGT, SemguideWarning, SGTv1, SGTv2, UnsupportedPipeline, steer
from semguide.guidance import Predictions, Rule, Step
from support.refusals import refuses
from support.rule_cases import ACTIVE, name_of
from support.tiny.calls import CONCEPTS, PROMPT, STEPS, call, noise

active = pytest.mark.parametrize("rule", ACTIVE, ids=name_of)
RULE = ACTIVE[0]


@contextmanager
def watched(target: Any, name: str) -> Iterator[list[torch.Tensor]]:
    """Record the first argument of each call of a bound method."""
    original, record = getattr(target, name), []

    def recording(first: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        record.append(first)
        return original(first, *args, **kwargs)

    setattr(target, name, recording)
    try:
        yield record
    finally:
        delattr(target, name)


@active
@pytest.mark.parametrize("rescale", [0.0, 0.5])
def test_guided_prediction_is_cfg_plus_the_rules_correction(sd: Any, rule: Rule[Any], rescale: float) -> None:
    from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import rescale_noise_cfg

    for part in (sd.unet, sd.text_encoder):
        part.double()
    try:
        latents = torch.randn(1, 4, 8, 8, generator=noise(), dtype=torch.float64)
        with watched(sd.scheduler, "step") as seen:
            call(steer(sd, rule), latents=latents, guidance_rescale=rescale)
        with torch.no_grad():
            cond, uncond = sd.encode_prompt(PROMPT, "cpu", 1, True)
            embeds = torch.cat([uncond, cond, sd.encode_prompt(CONCEPTS, "cpu", 1, False)[0]])
            state = rule.initial_state(2)
            for index, t in enumerate(sd.scheduler.timesteps):
                e = sd.unet(latents.expand(4, -1, -1, -1), t, encoder_hidden_states=embeds).sample
                step = Step(index, STEPS, 7.5)
                correction, state = rule.correct(Predictions(e[0], e[1], e[2:]), step, state)
                guided = e[0] + 7.5 * (e[1] - e[0]) + correction.delta
                if rescale:
                    guided = rescale_noise_cfg(guided[None], e[1][None], rescale)[0]
                torch.testing.assert_close(seen[index][0], guided, rtol=1e-9, atol=1e-9)
                latents = sd.scheduler.step(guided[None], t, latents).prev_sample
    finally:
        for part in (sd.unet, sd.text_encoder):
            part.float()


@active
def test_steering_changes_the_image(pipe: Any, rule: Rule[Any]) -> None:
    steered, plain = call(steer(pipe, rule)), call(pipe, guidance_scale=7.5)
    assert steered.isfinite().all()
    assert not torch.allclose(steered, plain, atol=1e-3)


@active
def test_each_image_of_a_batch_is_the_one_it_would_be_alone(pipe: Any, rule: Rule[Any]) -> None:
    prompts = ["something", "a cat", PROMPT, "a cat, a dog and a purple hat"]
    concepts = [[], ["a cat"], CONCEPTS, ["a cat", "a dog", "a purple hat"]]
    negatives = ["", "blurry", "a green dog", "dark"]
    together = steer(pipe, rule)(
        prompts,
        concepts=concepts,
        negative_prompt=negatives,
        num_inference_steps=STEPS,
        generator=[noise(i) for i in range(4)],
        output_type="np",
    )
    for i, prompt in enumerate(prompts):
        alone = steer(pipe, rule)(
            prompt,
            concepts=concepts[i],
            negative_prompt=negatives[i],
            num_inference_steps=STEPS,
            generator=[noise(i)],
            output_type="np",
        )
        np.testing.assert_array_equal(together.images[i], alone.images[0])
        np.testing.assert_array_equal(together.trace.similarity[i], alone.trace.similarity[0])
        assert together.evaluations[i] == alone.evaluations[0]


def test_several_images_of_a_prompt_are_the_ones_they_would_be_alone(pipe: Any) -> None:
    prompts = ["a cat", PROMPT]
    together = call(steer(pipe, RULE), prompts, num_images_per_prompt=2, generator=[noise(i) for i in range(4)])
    for i in range(4):
        assert torch.equal(together[i], call(steer(pipe, RULE), prompts[i // 2], generator=[noise(i)])[0])


@active
def test_one_call_for_all_images_is_equal_to_rounding(pipe: Any, rule: Rule[Any]) -> None:
    given: dict[str, Any] = {"prompt": ["a cat", PROMPT], "num_images_per_prompt": 2, "num_inference_steps": 2}
    apart = call(steer(pipe, rule), **given)
    torch.testing.assert_close(call(steer(pipe, rule, batch_invariant=False), **given), apart, rtol=1e-2, atol=1e-2)


def test_one_call_for_all_images_takes_two_denoiser_calls_a_step(pipe: Any) -> None:
    with watched(pipe.unet, "forward") as sizes:
        call(steer(pipe, RULE, batch_invariant=False), ["a cat", PROMPT])
    assert [len(sample) for sample in sizes] == [4, 2] * STEPS


@active
def test_evaluations_are_what_the_denoiser_was_asked(pipe: Any, rule: Rule[Any]) -> None:
    given: dict[str, Any] = {"num_inference_steps": STEPS, "generator": noise(), "output_type": "latent"}
    with watched(pipe.unet, "forward") as sizes:
        result = steer(pipe, rule)(["a cat", PROMPT], **given)
    assert sum(result.evaluations) == sum(len(sample) for sample in sizes)


@pytest.mark.parametrize(
    ("rule", "evaluated"),
    [
        (SGTv1(warmup_steps=1, cooldown_steps=2), [1, 2]),
        (SGTv2(warmup_steps=0, cooldown_steps=3), [0, 1, 2]),
        (SGTv2(warmup_steps=5, cooldown_steps=50), []),
        (SGT(start=0.25, stop=0.5), [1]),
        (CFG(), []),
    ],
)
def test_concepts_are_evaluated_where_the_result_is_used(sd: Any, rule: Rule[Any], evaluated: list[int]) -> None:
    steered = steer(sd, rule)
    given: dict[str, Any] = {"num_inference_steps": 4, "generator": noise(), "output_type": "latent"}
    result, full = steered(PROMPT, **given), steered(PROMPT, full_trace=True, **{**given, "generator": noise()})
    assert result.evaluations == [8 + 2 * len(evaluated)]
    assert np.flatnonzero(~np.isnan(result.trace.similarity[0][:, 0])).tolist() == evaluated
    assert full.evaluations == [16]
    assert not np.isnan(full.trace.similarity[0]).any()
    assert torch.equal(result.images, full.images)


def test_seen_similarities_do_not_depend_on_the_full_trace(sd: Any) -> None:
    rule = SGTv1(warmup_steps=1, cooldown_steps=1)
    given: dict[str, Any] = {"num_inference_steps": 3, "output_type": "latent"}
    short, full = (steer(sd, rule)(PROMPT, generator=noise(), full_trace=f, **given) for f in (False, True))
    np.testing.assert_array_equal(short.trace.similarity[0][1], full.trace.similarity[0][1])
    assert short.trace.abstract[0] is not None
    assert np.isnan(short.trace.abstract[0]).tolist() == [True, False, True]


def test_concept_that_is_the_whole_prompt_has_cosine_one(pipe: Any) -> None:
    given: dict[str, Any] = {"num_inference_steps": STEPS, "generator": noise(), "output_type": "latent"}
    trace = steer(pipe, RULE)("a red book", full_trace=True, **given).trace
    np.testing.assert_allclose(trace.similarity[0], 1.0, atol=1e-5)


def test_concepts_of_the_caller_come_before_the_decomposition(pipe: Any) -> None:
    given: dict[str, Any] = {"num_inference_steps": 1, "generator": noise(), "output_type": "latent"}
    assert steer(pipe, RULE)(PROMPT, concepts=["a vase", "red"], **given).trace.concepts == (("a vase", "red"),)
    both = steer(pipe, RULE)([PROMPT, "a cat"], concepts=["a hat"], **given)
    assert both.trace.concepts == (("a hat",), ("a hat",))
    each = steer(pipe, RULE)([PROMPT, "a cat"], concepts=[["a hat"], []], **given)
    assert each.trace.concepts == (("a hat",), ())


def test_decomposer_of_the_caller_reads_the_prompt(pipe: Any) -> None:
    from semguide import Concept

    class Last:
        def decompose(self, prompt: str) -> list[Concept]:
            return [Concept(prompt.rsplit(maxsplit=1)[-1])]

        __call__ = decompose

    result = steer(pipe, RULE, decomposer=Last())(PROMPT, num_inference_steps=1, output_type="latent")
    assert result.trace.concepts == (("vase",),)


def test_prompt_without_a_concept_runs_with_plain_guidance_and_says_so(pipe: Any) -> None:
    with pytest.warns(SemguideWarning, match="^no concepts found in this prompt; .* for 'beautifully'"):
        steered = call(steer(pipe, RULE), "beautifully")
    assert torch.equal(steered, call(pipe, "beautifully", guidance_scale=7.5))


def test_empty_list_of_concepts_asks_for_plain_guidance_without_a_warning(pipe: Any) -> None:
    assert torch.equal(call(steer(pipe, RULE), concepts=[]), call(pipe, guidance_scale=7.5))


def test_concepts_beyond_the_encoders_limit_are_named(pipe: Any) -> None:
    long = "a red book " + "and a red book " * 8 + "and a yellow vase"
    with pytest.warns(SemguideWarning, match=r"reads 77 tokens, .* does not know 'a yellow vase'; shorten") as told:
        call(steer(pipe, RULE), long, concepts=["a red book", "a yellow vase"], num_inference_steps=1)
    assert len([warning for warning in told if warning.category is SemguideWarning]) == 1
    with pytest.warns(SemguideWarning, match="does not know 'a very"):
        call(steer(pipe, RULE), concepts=["a very " + "very " * 40 + "red book"], num_inference_steps=1)


def test_a_prompt_that_is_not_english_says_so(sd: Any) -> None:
    with pytest.warns(SemguideWarning, match="no concepts in this prompt: English only; name the concepts, or use"):
        call(steer(sd, RULE), "ein roter Hund und eine blaue Katze auf dem Tisch", num_inference_steps=1)


def test_concepts_that_no_encoder_reads_are_left_out_and_are_those_of_the_rest_to_the_bit(sd: Any) -> None:
    long = "a red book and a cat " + "very " * 16 + "and a yellow vase"
    left_out = pytest.warns(SemguideWarning, match=r"2 of 3 .* without 'a yellow vase' \(beyond")
    with pytest.warns(SemguideWarning, match="cuts off 'very and a yellow vase'; shorten the prompt"), left_out:
        found = steer(sd, RULE)(long, num_inference_steps=1, generator=noise(), output_type="latent")
    assert found.trace.concepts == (("a red book", "a cat"),)
    with pytest.warns(SemguideWarning, match="cuts off"):
        named = call(steer(sd, RULE), long, concepts=["a red book", "a cat"], num_inference_steps=1)
    assert torch.equal(found.images, named)


def test_no_more_concepts_are_steered_than_steer_or_the_call_says(sd: Any) -> None:
    prompt, given = "a cat, a dog and a cow", {"num_inference_steps": 1, "output_type": "latent"}
    steered = steer(sd, RULE, max_concepts=2)
    with pytest.warns(SemguideWarning, match=r"2 of 3 .* without 'a cow' \(more than 2\); .* or raise max_concepts"):
        assert steered(prompt, **given).trace.concepts == (("a cat", "a dog"),)
    assert steered(prompt, max_concepts=3, **given).trace.concepts == (("a cat", "a dog", "a cow"),)
    assert len(steered(prompt, concepts=["a cat", "a dog", "a cow"], **given).trace.concepts[0]) == 3
    with refuses("max_concepts"):
        steer(sd, RULE, max_concepts=0)


@pytest.mark.parametrize("scale", [1.0, 0.0, 0.5, float("nan"), float("inf"), -3, "high"])
def test_scales_without_guidance_are_refused_before_any_work(pipe: Any, scale: Any) -> None:
    pipe.encode_prompt = None
    with refuses("guidance_scale"):
        call(steer(pipe, SGTv1()), guidance_scale=scale)


@pytest.mark.parametrize("concepts", ["a cat", 3, [["a cat"], ["a dog"]], [3], [" "], ["a cat", ["a dog"]]])
def test_concepts_of_the_wrong_form_are_refused(sd: Any, concepts: Any) -> None:
    with refuses("concepts"):
        call(steer(sd, RULE), concepts=concepts)


@pytest.mark.parametrize("prompt", [None, 3, [], [3]])
def test_prompts_of_the_wrong_form_are_refused(sd: Any, prompt: Any) -> None:
    with refuses("prompt", "must be a text or a list of texts"):
        call(steer(sd, RULE), prompt)


def test_foreign_pipelines_and_rules_are_refused(sd: Any) -> None:
    with pytest.raises(UnsupportedPipeline, match=r"pipe must be a diffusers pipeline of a family .* got dict"):
        steer({})
    with refuses("rule", "must be a guidance rule such as BalancedSGT()"):
        steer(sd, "sgt")  # type: ignore[arg-type]


def test_default_rule_is_sgt(sd: Any) -> None:
    assert steer(sd).rule == SGT()
