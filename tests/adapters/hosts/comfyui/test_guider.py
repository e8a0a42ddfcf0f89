"""The guider, with a stand-in for ComfyUI's sampling."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from semguide import CFG, SGT, NotFinite, SGTv1, SGTv2
from semguide.errors import RuleNeverActed
from support.comfyui import standin
from support.comfyui.standin import conditioning
from support.refusals import refuses

PROMPT, CONCEPTS = "a red book and a yellow vase", ["a red book", "a yellow vase"]
STEPS = 8


def guider_of(rule: Any, concepts: Any = None, patcher: Any = None, **options: Any) -> Any:
    from semguide.adapters.hosts.comfyui.guider import SemanticGuider

    guider = SemanticGuider(patcher or standin.Patcher(), rule, **options)
    given = [conditioning(text) for text in CONCEPTS] if concepts is None else concepts
    guider.set_conds(conditioning(PROMPT), conditioning(""), given)
    return guider


def plain_of(samplers: Any, patcher: Any = None) -> Any:
    guider = samplers.CFGGuider(patcher or standin.Patcher())
    guider.set_conds(conditioning(PROMPT), conditioning(""))
    guider.set_cfg(7.5)
    return guider


def sample(guider: Any, sampler: Any = standin.euler, images: int = 2, **arguments: Any) -> torch.Tensor:
    noise = arguments.pop("noise", standin.noise(images))
    return guider.sample(noise, torch.zeros_like(noise), sampler, standin.schedule(STEPS), **arguments)


@pytest.mark.parametrize("sampler", [standin.euler, standin.heun])
def test_without_concepts_the_guider_is_plain_guidance_to_the_bit(samplers: Any, sampler: Any) -> None:
    assert torch.equal(sample(guider_of(SGT(), concepts=[]), sampler), sample(plain_of(samplers), sampler))


@pytest.mark.parametrize("rule", [SGT(strength=0.0), CFG()])
def test_a_rule_that_is_off_is_plain_guidance_to_the_bit_and_costs_nothing(samplers: Any, rule: Any) -> None:
    guider, plain = guider_of(rule), plain_of(samplers)
    assert torch.equal(sample(guider), sample(plain))
    assert guider.inner_model.calls == plain.inner_model.calls


def test_a_rule_that_needs_guidance_is_plain_without_it_to_the_bit_and_says_why(samplers: Any) -> None:
    plain = plain_of(samplers)
    plain.set_cfg(1.0)
    assert torch.equal(sample(guider_of(CFG(1.0), full_trace=True)), sample(plain))
    with pytest.warns(RuleNeverActed, match="no unconditional prediction, as at a cfg of 1"):
        assert torch.equal(sample(guider_of(SGTv1(1.0), full_trace=True)), sample(plain))


def test_without_guidance_the_mean_of_the_concepts_stands_for_the_negative_prompt(samplers: Any) -> None:
    plain, guider = plain_of(samplers), guider_of(SGT(1.0, stop=0.5))
    plain.set_cfg(1.0)
    found, other = sample(guider), sample(plain)
    assert not torch.equal(found, other)
    assert [rows for _, rows in guider.inner_model.calls[:4]] == [3] * 4
    assert guider.inner_model.calls[4:] == plain.inner_model.calls[4:]
    assert torch.equal(sample(guider_of(SGT(1.0, strength=0.0))), other)


def test_a_correction_of_zero_is_plain_guidance_to_the_bit(samplers: Any) -> None:
    rule = SGTv1(subject_threshold=0.0, abstract_threshold=0.0, upper_bound=1.0)  # evaluates and never steers
    assert torch.equal(sample(guider_of(rule)), sample(plain_of(samplers)))


def test_a_rule_changes_the_image_with_one_call_for_all_conditionings_in_its_window_only(samplers: Any) -> None:
    guider = guider_of(SGT(stop=0.5))
    assert not torch.equal(sample(guider), sample(plain_of(samplers)))
    assert [rows for _, rows in guider.inner_model.calls] == [4] * 4 + [2] * 4


def test_every_call_of_a_step_is_steered(samplers: Any) -> None:
    guider = guider_of(SGT(stop=0.5))
    sample(guider, standin.heun)
    window = standin.schedule(STEPS)[:4].tolist()
    assert guider.inner_model.calls == [(s, 4 if s in window else 2) for s, _ in guider.inner_model.calls]
    assert len(guider.inner_model.calls) == 2 * STEPS - 1


@pytest.mark.parametrize("rule", [SGT(), SGTv2(warmup_steps=1, cooldown_steps=6)])
@pytest.mark.parametrize("sampling", [standin.Eps(), standin.Flow()])
def test_the_result_is_that_of_the_rule_in_eps_space(samplers: Any, rule: Any, sampling: Any) -> None:
    from semguide.guidance import Predictions, Step

    model = standin.Model(sampling)
    first = 0.95 if isinstance(sampling, standin.Flow) else 10.0
    sigmas, noise = standin.schedule(STEPS, first), standin.noise(1)
    given = guider_of(rule, patcher=standin.Patcher(model)).sample(
        noise, torch.zeros_like(noise), standin.euler, sigmas
    )
    x, state = noise * first, rule.initial_state(2)
    embeddings = [conditioning(text)[0][0] for text in ("", PROMPT, *CONCEPTS)]
    for i in range(STEPS):
        sigma = sigmas[i]
        eps = torch.cat([model.eps(x, float(sigma), embedding) for embedding in embeddings])
        correction, state = rule.correct(Predictions(eps[0], eps[1], eps[2:]), Step(i, STEPS, 7.5), state)
        guided = eps[:1] + 7.5 * (eps[1:2] - eps[:1]) + correction.delta
        x = x + (x - sampling.denoised(x, sigma, guided)) / sigma * (sigmas[i + 1] - sigma)
    torch.testing.assert_close(given, x, rtol=1e-9, atol=1e-9)


def test_a_guider_starts_anew_with_every_run(samplers: Any) -> None:
    guider = guider_of(SGTv2(warmup_steps=1))
    first = sample(guider)
    assert torch.equal(sample(guider), first)


def test_an_image_does_not_depend_on_its_batch(samplers: Any) -> None:
    noise = standin.noise(3)
    together = sample(guider_of(SGTv2(warmup_steps=1)), noise=noise)
    for i in range(3):
        assert torch.equal(sample(guider_of(SGTv2(warmup_steps=1)), noise=noise[i : i + 1])[0], together[i])


def test_functions_before_and_after_guidance_see_what_they_see_in_plain_guidance(samplers: Any) -> None:
    seen: dict[str, list[Any]] = {"plain": [], "ours": []}

    def run(name: str, make: Any) -> None:
        def before(told: Any) -> Any:
            seen[name].append((sorted(told), len(told["conds"]), [part.clone() for part in told["conds_out"]]))
            return [told["conds_out"][0] * 1.1, told["conds_out"][1]]

        def after(told: Any) -> Any:
            seen[name].append((sorted(told), told["cond_denoised"], told["uncond_denoised"], told["denoised"]))
            return told["denoised"] * 0.9

        patcher = standin.Patcher()
        patcher.model_options = {"sampler_pre_cfg_function": [before], "sampler_post_cfg_function": [after]}
        sample(make(patcher))

    run("plain", lambda patcher: plain_of(samplers, patcher))
    run("ours", lambda patcher: guider_of(SGT(), patcher=patcher))
    plain, ours = seen["plain"], seen["ours"]
    assert [entry[0] for entry in ours] == [entry[0] for entry in plain]
    assert ours[0][1] == 2
    for ours_first, plain_first in zip((*ours[0][2], *ours[1][1:3]), (*plain[0][2], *plain[1][1:3]), strict=True):
        assert torch.equal(ours_first, plain_first)
    assert not torch.equal(ours[1][3], plain[1][3]), "the guided image itself is corrected"


def test_a_function_in_the_place_of_guidance_is_used_and_corrected(samplers: Any) -> None:
    def run(guider_of_patcher: Any, scale: float) -> torch.Tensor:
        patcher = standin.Patcher()
        patcher.model_options = {"sampler_cfg_function": lambda told: _guidance(told, scale)}
        return sample(guider_of_patcher(patcher))

    def _guidance(told: Any, scale: float) -> torch.Tensor:
        return told["uncond"] + told["cond_scale"] * scale * (told["cond"] - told["uncond"])

    same = run(lambda patcher: guider_of(SGT(), patcher=patcher), 1.0)
    torch.testing.assert_close(same, sample(guider_of(SGT())), rtol=1e-9, atol=1e-9)
    assert not torch.allclose(run(lambda patcher: guider_of(SGT(), patcher=patcher), 0.5), same)


def test_a_function_in_the_place_of_the_batch_gets_pairs(samplers: Any) -> None:
    counts: list[int] = []

    def batch(told: Any) -> Any:
        cond, uncond = told["conds"]
        counts.append((cond is not None) + (uncond is not None))
        return samplers.calc_cond_batch(
            told["model"], told["conds"], told["input"], told["sigma"], told["model_options"]
        )

    patcher = standin.Patcher()
    patcher.model_options = {"sampler_calc_cond_batch_function": batch}
    steered = sample(guider_of(SGT(stop=0.25), patcher=patcher))
    assert torch.equal(steered, sample(guider_of(SGT(stop=0.25))))
    assert counts == [2] * (2 * 3 + 6)


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_a_patch_in_the_network_sees_the_rows_that_it_sees_in_plain_guidance(samplers: Any, count: int) -> None:
    """IPAdapter's has something for prompt and negative prompt by their numbers, others by their places of two."""
    seen: list[list[int]] = []

    def patch(extra: Any) -> None:
        for row in extra["cond_or_uncond"]:
            ("for the prompt", "for the negative prompt")[row]
        first, second = extra["cond_or_uncond"]
        seen.append([first, second])

    patcher = standin.Patcher()
    patcher.model_options = {"transformer_options": {"patches": {"attn2_patch": [patch]}}}
    concepts = [conditioning(f"concept {number}") for number in range(count)]
    steered = sample(guider_of(SGTv2(), concepts=concepts, patcher=patcher))
    assert {tuple(rows) for rows in seen} == {(0, 1)}
    assert torch.equal(steered, sample(guider_of(SGTv2(), concepts=concepts)))


def wrapped(key: str, **patches: Any) -> Any:
    """Return a model with a wrapper of its network and patches."""
    patcher = standin.Patcher()
    wrappers = {"diffusion_model": {key: [1]}}
    patcher.model_options = {"transformer_options": {"patches": patches, "wrappers": wrappers}}
    return patcher


def test_beside_a_wrapper_each_concept_is_evaluated_alone(samplers: Any) -> None:
    """It may know conditionings by their ids, and take a negative prompt that comes again for one that stays."""
    del samplers
    seen: list[list[int]] = []
    patcher = wrapped("cache", attn2_patch=[lambda extra: seen.append(extra["cond_or_uncond"])])
    sample(guider_of(SGT(stop=0.25), patcher=patcher))
    assert seen == [[0, 1], [0], [0], [0, 1], [0], [0], *[[0, 1]] * 6]


def test_what_easycache_guesses_is_compared_in_one_batch_or_not_at_all(samplers: Any) -> None:
    guider = guider_of(SGT(stop=0.25), patcher=wrapped("easycache"))
    assert torch.equal(sample(guider), sample(guider_of(SGT(stop=0.25))))
    assert [rows for _, rows in guider.inner_model.calls] == [4, 4, *[2] * 6]
    both = wrapped("easycache", attn2_patch=[lambda _: None])
    with pytest.warns(RuleNeverActed, match="EasyCache guesses"):
        assert torch.equal(sample(guider_of(SGT(), patcher=both)), sample(plain_of(samplers)))


def test_a_patch_that_needs_both_prompts_sees_the_negative_prompt_beside_each_concept(samplers: Any) -> None:
    """As NAG's, which says so with the option that ComfyUI has for it."""
    seen: list[list[int]] = []
    patcher, plain = standin.Patcher(), standin.Patcher()
    patches = {"patches": {"attn2_patch": [lambda extra: seen.append(extra["cond_or_uncond"])]}}
    patcher.model_options = {"transformer_options": patches, "disable_cfg1_optimization": True}
    drawn = sample(guider_of(SGT(stop=0.25), patcher=patcher))
    assert seen == [*[[0, 1]] * 6, *[[0, 1]] * 6]
    assert torch.equal(drawn, sample(guider_of(SGT(stop=0.25), patcher=plain)))


@pytest.mark.parametrize(
    ("options", "members", "rows"),
    [
        ({}, {}, 4),
        ({"transformer_options": {"patches": {}, "wrappers": {"sample": {"x": []}}}}, {}, 4),
        ({}, {"object_patches": {"model_sampling": 1}}, 4),
        ({"transformer_options": {"wrappers": {"sample": {"x": [1]}}}}, {}, 2),
        ({"transformer_options": {"patches_replace": {"attn1": {("input", 1): 1}}}}, {}, 2),
        ({"model_function_wrapper": 1}, {}, 2),
        ({}, {"object_patches": {"diffusion_model.forward": 1}}, 2),
        ({}, {"injections": {"x": [1]}}, 2),
    ],
)
def test_concepts_are_in_one_batch_with_the_prompts_unless_something_patches_the_model(
    samplers: Any, options: Any, members: Any, rows: int
) -> None:
    del samplers
    patcher = standin.Patcher()
    patcher.model_options = options
    vars(patcher).update(members)
    guider = guider_of(SGT(stop=0.25), patcher=patcher)
    sample(guider)
    assert guider.inner_model.calls[0][1] == rows


def test_concepts_take_over_what_was_put_on_the_prompt(samplers: Any) -> None:
    from semguide.adapters.hosts.comfyui.guider import SemanticGuider

    control, own = object(), object()
    guider = SemanticGuider(standin.Patcher(), SGT())
    positive = conditioning(PROMPT, control=control, strength=0.5)
    guider.set_conds(positive, conditioning(""), [conditioning("a book"), conditioning("a vase", control=own)])
    first, second = (guider.original_conds[key][0] for key in ("concept_0", "concept_1"))
    assert first["control"] is control
    assert first["strength"] == 0.5
    assert first["pooled_output"] is not positive[0][1]["pooled_output"]
    assert second["control"] is own


def test_concepts_take_over_only_what_all_parts_of_the_prompt_share(samplers: Any) -> None:
    from semguide.adapters.hosts.comfyui.guider import SemanticGuider

    control = object()
    left = conditioning("a book", control=control, area=(4, 4, 0, 0))
    right = conditioning("a vase", control=control, area=(4, 4, 0, 4))
    guider = SemanticGuider(standin.Patcher(), SGT())
    guider.set_conds(left + right, conditioning(""), [conditioning("a book")])
    (entry,) = guider.original_conds["concept_0"]
    assert entry["control"] is control
    assert "area" not in entry


def test_the_trace_names_the_concepts_and_has_numbers_in_the_window(samplers: Any) -> None:
    from semguide.adapters.hosts.comfyui.conditioning import named

    guider = guider_of(SGT(stop=0.5), concepts=[named(conditioning("a book"), "a book"), conditioning("a vase")])
    sample(guider)
    trace = guider.trace()
    assert trace.concepts == (("a book", "concept 2"),) * 2
    assert np.isfinite(trace.similarity[1][:4]).all()
    assert np.isnan(trace.similarity[1][4:]).all()


def test_a_full_trace_evaluates_the_concepts_of_plain_guidance_and_leaves_it_alone(samplers: Any) -> None:
    guider = guider_of(CFG(), full_trace=True)
    torch.testing.assert_close(sample(guider), sample(plain_of(samplers)), rtol=0, atol=0)
    assert np.isfinite(guider.trace().similarity[0]).all()


def test_a_guider_that_has_not_sampled_has_no_trace(samplers: Any) -> None:
    with refuses("guider", "must have sampled once"):
        guider_of(SGT()).trace()


@pytest.mark.parametrize("step", [1, 6])
@pytest.mark.parametrize("concepts", [None, []])
def test_a_prediction_that_is_not_finite_stops_the_run_also_at_a_step_without_concepts(
    samplers: Any, step: int, concepts: Any
) -> None:
    del samplers
    guider, calls = guider_of(SGT(stop=0.5), concepts=concepts), 0

    def spoil(told: Any) -> torch.Tensor:
        nonlocal calls
        calls += 1
        return told["denoised"] * (float("nan") if calls == step + 1 else 1.0)

    guider.model_options["sampler_post_cfg_function"] = [spoil]
    where = f"the model at step {step + 1}" if concepts is None else "the model"
    with pytest.raises(NotFinite, match=f"{where} made NaN or infinity"):
        sample(guider)
