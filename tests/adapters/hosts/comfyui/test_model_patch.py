"""The rule as a patch of MODEL, with a stand-in for ComfyUI's sampling."""

from __future__ import annotations

import types
from typing import Any

import pytest
import torch

from semguide import SGT, NotFinite, SGTv2
from support.comfyui import standin
from support.comfyui.standin import conditioning

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


@pytest.mark.parametrize("rule", [SGT(), SGTv2()])
def test_the_image_is_that_of_the_guider(samplers: Any, rule: Any) -> None:
    from semguide.adapters.hosts.comfyui.guider import SemanticGuider

    guider = SemanticGuider(standin.Patcher(), rule)
    guider.set_conds(conditioning(PROMPT), conditioning(""), [conditioning(text) for text in CONCEPTS])
    noise = standin.noise(2)
    expected = guider.sample(noise, torch.zeros_like(noise), standin.euler, standin.schedule())
    torch.testing.assert_close(ksampler(samplers, patched(rule)), expected, rtol=1e-9, atol=1e-9)


def test_every_run_starts_anew_whatever_its_schedule(samplers: Any) -> None:
    model = patched(SGTv2())
    first = ksampler(samplers, model)
    assert torch.equal(ksampler(samplers, model), first)
    assert torch.equal(ksampler(samplers, model, steps=5), ksampler(samplers, patched(SGTv2()), steps=5))
    assert torch.equal(ksampler(samplers, model), first)


def test_without_guidance_the_image_is_comfyuis_own_to_the_bit_and_costs_nothing(samplers: Any) -> None:
    patcher, plain = standin.Patcher(), standin.Patcher()
    assert torch.equal(ksampler(samplers, patched(SGT(), patcher), cfg=1.0), ksampler(samplers, plain, cfg=1.0))
    assert patcher.model.calls == plain.model.calls


def test_concepts_are_evaluated_alone_in_the_window_only(samplers: Any) -> None:
    patcher = standin.Patcher()
    ksampler(samplers, patched(SGT(stop=0.25), patcher))
    assert len(patcher.model.calls) == 8 + 2 * 2
    assert patcher.model_options == {}, "the model that came in is as it was"


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


def test_the_node_patches_the_model_and_leaves_it_where_nothing_is_steered(
    samplers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from semguide.adapters.hosts.comfyui.nodes import SemanticGuidanceModelNode

    told: list[str] = []
    instance = types.SimpleNamespace(send_progress_text=lambda text, _: told.append(text))
    server = types.SimpleNamespace(PromptServer=types.SimpleNamespace(instance=instance))
    monkeypatch.setitem(__import__("sys").modules, "server", server)
    model, concepts = standin.Patcher(), [entry for text in CONCEPTS for entry in conditioning(text)]
    node = SemanticGuidanceModelNode()
    (found,) = node.patch(model, concepts, "sgt", 1.0, unique_id="1")
    assert torch.equal(ksampler(samplers, found), ksampler(samplers, patched(SGT())))
    assert node.patch(model, concepts, "sgt", 0.0, unique_id="1") == (model,)
    assert told == []
    assert node.patch(model, [], "sgt", 1.0, unique_id="1") == (model,)
    assert len(told) == 1
