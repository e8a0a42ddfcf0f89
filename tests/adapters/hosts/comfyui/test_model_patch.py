"""The rule as a patch of MODEL, with a stand-in for ComfyUI's sampling."""

from __future__ import annotations

import copy
import sys
import types
from typing import Any

import pytest
import torch

from semguide import SGT, NotFinite, SGTv1, SGTv2
from support.comfyui import standin
from support.comfyui.standin import conditioning
from support.refusals import refuses

PROMPT, CONCEPTS = "a red book and a yellow vase", ["a red book", "a yellow vase"]


def patched(rule: Any, patcher: Any = None, node: str | None = None) -> Any:
    from semguide.adapters.hosts.comfyui.model_patch import ModelPatch

    return ModelPatch(rule, [conditioning(text) for text in CONCEPTS], node).patched(patcher or standin.Patcher())


def ksampler(samplers: Any, model: Any, cfg: float = 7.5, steps: int = 8, **prompt: Any) -> torch.Tensor:
    """Sample as KSampler does: with CFGGuider."""
    guider = samplers.CFGGuider(model)
    guider.set_conds(conditioning(PROMPT, **prompt), conditioning(""))
    guider.set_cfg(cfg)
    noise = standin.noise(2)
    return guider.sample(noise, torch.zeros_like(noise), standin.euler, standin.schedule(steps))


@pytest.mark.parametrize("rule", [SGT(), SGTv2(), SGT(1.0)])
def test_the_image_is_that_of_the_guider(samplers: Any, rule: Any) -> None:
    from semguide.adapters.hosts.comfyui.guider import SemanticGuider

    guider = SemanticGuider(standin.Patcher(), rule)
    guider.set_conds(conditioning(PROMPT), conditioning(""), [conditioning(text) for text in CONCEPTS])
    noise = standin.noise(2)
    expected = guider.sample(noise, torch.zeros_like(noise), standin.euler, standin.schedule())
    found = ksampler(samplers, patched(rule), cfg=rule.guidance_scale)
    assert not torch.equal(found, ksampler(samplers, standin.Patcher(), cfg=rule.guidance_scale))
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


def test_every_run_starts_anew_whatever_its_schedule(samplers: Any) -> None:
    model = patched(SGTv2())
    first = ksampler(samplers, model)
    assert torch.equal(ksampler(samplers, model), first)
    assert torch.equal(ksampler(samplers, model, steps=5), ksampler(samplers, patched(SGTv2()), steps=5))
    assert torch.equal(ksampler(samplers, model), first)


def test_a_sampling_in_two_parts_is_two_runs_and_copies_of_a_patched_model_draw_the_same(samplers: Any) -> None:
    model, sigmas, noise = patched(SGTv2(warmup_steps=0)), standin.schedule(8), standin.noise(2)

    def part(model: Any, latent: torch.Tensor, schedule: torch.Tensor, added: torch.Tensor) -> torch.Tensor:
        guider = samplers.CFGGuider(model)
        guider.set_conds(conditioning(PROMPT), conditioning(""))
        guider.set_cfg(7.5)
        return guider.sample(added, latent, standin.euler, schedule)

    def drawn(*models: Any) -> torch.Tensor:
        first = part(models[0], torch.zeros_like(noise), sigmas[:4], noise)
        return part(models[1], first, sigmas[3:], torch.zeros_like(noise))

    copied = model.clone()
    copied.model_options = copy.deepcopy(model.model_options)
    expected = drawn(patched(SGTv2(warmup_steps=0)), patched(SGTv2(warmup_steps=0)))
    for models in ((model, model), (model.clone(), model), (copied, copied)):
        assert torch.equal(drawn(*models), expected)
    assert not torch.equal(drawn(model, standin.Patcher()), expected)


def test_two_patches_on_a_model_correct_both_and_two_models_do_not_see_each_other(samplers: Any) -> None:
    one, other = patched(SGT()), patched(SGTv2())
    expected = [ksampler(samplers, model) for model in (patched(SGT()), patched(SGTv2()))]
    assert [
        torch.equal(ksampler(samplers, model), found) for model, found in zip((one, other), expected, strict=True)
    ] == [True, True]
    twice = ksampler(samplers, patched(SGT(), one))
    assert torch.isfinite(twice).all()
    assert not torch.equal(twice, expected[0])


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what is shown on nodes."""
    found: list[str] = []
    instance = types.SimpleNamespace(send_progress_text=lambda text, _: found.append(text))
    server = types.SimpleNamespace(PromptServer=types.SimpleNamespace(instance=instance))
    monkeypatch.setitem(sys.modules, "server", server)
    return found


def test_a_picture_without_guidance_is_told_with_the_reason(samplers: Any, told: list[str]) -> None:
    ksampler(samplers, patched(SGTv1(), node="1"), cfg=1.0)
    (only,) = told
    assert "as at a cfg of 1" in only
    ksampler(samplers, patched(SGT(), node="1"))
    assert len(told) == 1


def test_without_guidance_a_concept_somewhere_is_told_to_the_end_of_the_run(samplers: Any, told: list[str]) -> None:
    from semguide.adapters.hosts.comfyui.interface import CONFINED
    from semguide.adapters.hosts.comfyui.model_patch import ModelPatch

    somewhere = [conditioning(CONCEPTS[0], area=(8, 4, 0, 0)), conditioning(CONCEPTS[1])]
    model = ModelPatch(SGT(1.0, stop=0.25), somewhere, "1").patched(standin.Patcher())
    assert torch.equal(ksampler(samplers, model, cfg=1.0), ksampler(samplers, standin.Patcher(), cfg=1.0))
    assert told == [CONFINED]


def test_what_easycache_guesses_is_not_compared_with_concepts(samplers: Any, told: list[str]) -> None:
    patcher = standin.Patcher()
    patcher.model_options = {"transformer_options": {"wrappers": {"diffusion_model": {"easycache": [1]}}}}
    assert torch.equal(ksampler(samplers, patched(SGT(), patcher, node="1")), ksampler(samplers, standin.Patcher()))
    (only,) = told
    assert only.startswith("EasyCache guesses")


def test_a_guider_without_functions_after_guidance_is_told(samplers: Any, told: list[str]) -> None:
    class Other(samplers.CFGGuider):
        def predict_noise(self, x: Any, timestep: Any, model_options: Any = None, seed: Any = None) -> Any:
            del model_options, seed
            return samplers.calc_cond_batch(self.inner_model, [self.conds["positive"]], x, timestep, {})[0]

    guider = Other(patched(SGT(), node="1"))
    guider.set_conds(conditioning(PROMPT), conditioning(""))
    noise = standin.noise(1)
    guider.sample(noise, torch.zeros_like(noise), standin.euler, standin.schedule())
    assert told == ["The sampler's guider calls no function after guidance: the images are those of plain guidance."]


def test_a_call_without_a_schedule_stays_as_it_is_and_is_told(samplers: Any, told: list[str]) -> None:
    (correct,) = patched(SGT(), node="1").model_options["sampler_post_cfg_function"]
    del samplers
    denoised = standin.noise(1)
    assert correct({"denoised": denoised, "model_options": {}}) is denoised
    assert told == ["The sampler does not say its steps: the images are those of plain guidance."]


def test_the_unconditional_prediction_of_a_perp_neg_guider_is_that_of_the_empty_prompt(samplers: Any) -> None:
    functions = patched(SGT(), node="1").model_options["sampler_post_cfg_function"]

    def ours(call: Any) -> Any:
        empty = {"empty_cond": call["uncond"], "empty_cond_denoised": call["uncond_denoised"]}
        return functions[0]({**call, **empty, "uncond": None, "uncond_denoised": call["uncond_denoised"] * 0})

    patcher = standin.Patcher()
    patcher.model_options = {"sampler_post_cfg_function": [ours]}
    assert torch.equal(ksampler(samplers, patcher), ksampler(samplers, patched(SGT())))


@pytest.mark.parametrize("own", ["control", "gligen"])
def test_a_concept_with_a_controlnet_of_its_own_is_refused(samplers: Any, own: str) -> None:
    from semguide.adapters.hosts.comfyui.model_patch import ModelPatch

    del samplers
    with refuses("concepts", "must have no ControlNet or GLIGEN of their own"):
        ModelPatch(SGT(), [conditioning("a cat", **{own: object()})])


def test_without_guidance_the_image_is_comfyuis_own_to_the_bit_and_costs_nothing(samplers: Any) -> None:
    patcher, plain = standin.Patcher(), standin.Patcher()
    assert torch.equal(ksampler(samplers, patched(SGTv1(), patcher), cfg=1.0), ksampler(samplers, plain, cfg=1.0))
    assert patcher.model.calls == plain.model.calls


def test_concepts_are_evaluated_in_one_batch_in_the_window_only(samplers: Any) -> None:
    patcher = standin.Patcher()
    ksampler(samplers, patched(SGT(stop=0.25), patcher))
    assert len(patcher.model.calls) == 8 + 2
    assert (patcher.model_options, patcher.wrappers) == ({}, {}), "the model that came in is as it was"


def test_what_patches_the_model_sees_pairs(samplers: Any) -> None:
    seen: list[list[int]] = []
    counts: list[int] = []

    def batch(told: Any) -> Any:
        cond, uncond = told["conds"]
        counts.append((cond is not None) + (uncond is not None))
        return samplers.calc_cond_batch(
            told["model"], told["conds"], told["input"], told["sigma"], told["model_options"]
        )

    patcher = standin.Patcher()
    patches = {"attn2_patch": [lambda extra: seen.append(extra["cond_or_uncond"])]}
    patcher.model_options = {
        "transformer_options": {"patches": patches},
        "sampler_calc_cond_batch_function": batch,
    }
    drawn = ksampler(samplers, patched(SGT(stop=0.25), patcher))
    assert counts == [2] * (8 + 2 * 2)
    assert seen == [[0, 1]] * (8 + 2 * 2)
    assert torch.equal(drawn, ksampler(samplers, patched(SGT(stop=0.25))))


def test_what_is_put_on_the_prompt_applies_to_the_concepts_and_pictures_stay_those_of_the_prompt(
    samplers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    batch = samplers.calc_cond_batch

    def watched(model: Any, conds: list[Any], *call: Any) -> Any:
        seen.append(conds[0][0])
        return batch(model, conds, *call)

    control, masked = object(), object()
    monkeypatch.setattr(samplers, "calc_cond_batch", watched)
    ksampler(samplers, patched(SGT()), control=control, model_conds={"c_concat": masked, "c_crossattn": "the prompt's"})
    concept = seen[0]
    assert concept["control"] is control
    assert concept["model_conds"]["c_concat"] is masked
    assert concept["model_conds"]["c_crossattn"] is concept["cross_attn"]


def test_a_picture_is_told_with_the_concepts_of_a_prompt_of_several_parts(
    samplers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    batch = samplers.calc_cond_batch

    def watched(model: Any, conds: list[Any], *call: Any) -> Any:
        seen.append(conds[0][0]["model_conds"])
        return batch(model, conds, *call)

    monkeypatch.setattr(samplers, "calc_cond_batch", watched)
    masked = object()
    parts = [conditioning(text, model_conds={"c_concat": masked}) for text in (PROMPT, "more")]
    guider = samplers.CFGGuider(patched(SGT()))
    guider.set_conds(parts[0] + parts[1], conditioning(""))
    guider.set_cfg(7.5)
    guider.sample(standin.noise(1), torch.zeros_like(standin.noise(1)), standin.euler, standin.schedule())
    assert seen[0]["c_concat"] is masked


def test_a_prediction_that_is_not_finite_stops_the_run(samplers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    late = standin.schedule()[6]
    eps = standin.Model.eps
    monkeypatch.setattr(
        standin.Model,
        "eps",
        lambda self, x, sigma, e: eps(self, x, sigma, e) * (float("nan") if sigma <= late else 1.0),
    )
    with pytest.raises(NotFinite, match="the model at step 7"):
        ksampler(samplers, patched(SGT()))


def test_the_node_patches_the_model_and_leaves_it_where_nothing_is_steered(samplers: Any, told: list[str]) -> None:
    from semguide.adapters.hosts.comfyui.nodes import SemanticGuidanceModelNode

    model, concepts = standin.Patcher(), [entry for text in CONCEPTS for entry in conditioning(text)]
    node = SemanticGuidanceModelNode()
    (found,) = node.patch(model, concepts, "sgt", 1.0, unique_id="1")
    assert torch.equal(ksampler(samplers, found), ksampler(samplers, patched(SGT())))
    assert node.patch(model, concepts, "sgt", 0.0, unique_id="1") == (model,)
    assert told == []
    assert node.patch(model, [], "sgt", 1.0, unique_id="1") == (model,)
    assert len(told) == 1
