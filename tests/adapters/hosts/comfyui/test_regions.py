"""Concepts with an area, a mask or a range, with a stand-in for ComfyUI's sampling."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from semguide import SGT, SGTv1, SGTv2
from semguide.errors import RuleNeverActed
from support.comfyui import standin
from support.comfyui.standin import conditioning

PROMPT, CONCEPTS = "a red book and a yellow vase", ("a red book", "a yellow vase", "a cat")
STEPS, SIZE = 8, standin.SIZE
LEFT, RIGHT = (SIZE, SIZE // 2, 0, 0), (SIZE, SIZE // 2, 0, SIZE // 2)


def mask_of(area: Any) -> torch.Tensor:
    height, width, top, left = area
    mask = torch.zeros(SIZE, SIZE)
    mask[top : top + height, left : left + width] = 1
    return mask


REGIONS = {
    "area": {"area": LEFT},
    "percentage": {"area": ("percentage", 1.0, 0.5, 0.0, 0.5)},
    "mask": {"mask": mask_of(RIGHT)},
    "bounds": {"mask": mask_of(RIGHT), "set_area_to_bounds": True},
    "range": {"start_percent": 0.0, "end_percent": 0.3},
}


def concepts_of(*options: dict[str, Any]) -> list[Any]:
    return [conditioning(text, **given) for text, given in zip(CONCEPTS, options, strict=False)]


def guider_of(rule: Any, concepts: list[Any]) -> Any:
    from semguide.adapters.hosts.comfyui.guider import SemanticGuider

    guider = SemanticGuider(standin.Patcher(), rule)
    guider.set_conds(conditioning(PROMPT), conditioning(""), concepts)
    return guider


def sample(guider: Any, images: int = 2) -> torch.Tensor:
    noise = standin.noise(images)
    return guider.sample(noise, torch.zeros_like(noise), standin.euler, standin.schedule(STEPS))


def plain(samplers: Any, model: Any = None) -> torch.Tensor:
    guider = samplers.CFGGuider(model or standin.Patcher())
    guider.set_conds(conditioning(PROMPT), conditioning(""))
    guider.set_cfg(7.5)
    return sample(guider)


@pytest.mark.parametrize("name", REGIONS)
def test_a_concept_somewhere_leaves_prompt_and_negative_prompt_as_they_are(samplers: Any, name: str) -> None:
    rule = SGTv1(subject_threshold=0.0, abstract_threshold=0.0, upper_bound=1.0)  # evaluates and never steers
    assert torch.equal(sample(guider_of(rule, concepts_of(REGIONS[name], {}))), plain(samplers))


@pytest.mark.parametrize("rule", [SGT(stop=1.0), SGTv2(warmup_steps=1)])
@pytest.mark.parametrize("name", REGIONS)
def test_guider_and_patch_draw_the_same_with_a_concept_somewhere(samplers: Any, name: str, rule: Any) -> None:
    from semguide.adapters.hosts.comfyui.model_patch import ModelPatch

    concepts = concepts_of(REGIONS[name], {}, {})
    drawn = sample(guider_of(rule, concepts))
    assert not torch.equal(drawn, sample(guider_of(rule, concepts_of({}, {}, {}))))
    patched = plain(samplers, ModelPatch(rule, concepts).patched(standin.Patcher()))
    torch.testing.assert_close(patched, drawn, rtol=1e-9, atol=1e-9)


def test_a_concept_is_evaluated_in_its_range_only_and_the_others_are_then_as_without_it(samplers: Any) -> None:
    del samplers
    late = guider_of(SGT(stop=0.5), concepts_of({}, {}, {"start_percent": 0.35}))
    sample(late)
    sigmas = standin.schedule(STEPS).tolist()
    begins = next(
        step for step, sigma in enumerate(sigmas) if sigma <= late.inner_model.model_sampling.percent_to_sigma(0.35)
    )
    assert 0 < begins < 4
    assert [rows for _, rows in late.inner_model.calls] == [4] * begins + [5] * (4 - begins) + [2] * 4
    similarity = late.trace().similarity[0]
    assert np.isnan(similarity[:begins, 2]).all()
    assert np.isfinite(similarity[:begins, :2]).all()
    assert np.isfinite(similarity[begins:4]).all()
    never = guider_of(SGT(stop=0.5), concepts_of({}, {}, {"end_percent": -1.0}))
    assert torch.equal(sample(never), sample(guider_of(SGT(stop=0.5), concepts_of({}, {}))))


def test_a_concept_with_an_empty_mask_is_not_evaluated(samplers: Any) -> None:
    del samplers
    empty = guider_of(SGT(), concepts_of({}, {}, {"mask": torch.zeros(SIZE, SIZE)}))
    assert torch.equal(sample(empty), sample(guider_of(SGT(), concepts_of({}, {}))))


def test_a_rule_that_needs_two_concepts_costs_nothing_while_there_is_one(samplers: Any) -> None:
    guider = guider_of(SGT(), concepts_of({}, {"end_percent": -1.0}))
    with pytest.warns(UserWarning, match="corrected nothing"):
        assert torch.equal(sample(guider), plain(samplers))
    assert {rows for _, rows in guider.inner_model.calls} == {2}


@pytest.mark.parametrize("name", ["area", "percentage", "bounds"])
def test_in_an_area_the_cut_out_is_evaluated_with_the_negative_prompt_beside_it(samplers: Any, name: str) -> None:
    del samplers
    guider = guider_of(SGT(stop=0.1), concepts_of(REGIONS[name], {}))
    sample(guider)
    whole, half = (SIZE, SIZE), (SIZE, SIZE // 2)
    assert guider.inner_model.sizes[:5] == [whole, whole, half, half, whole]


@pytest.mark.parametrize("name", ["area", "mask", "bounds"])
def test_outside_its_region_a_concept_corrects_nothing(
    samplers: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = lambda _, x, sigma, e: torch.tanh(e[:4].reshape(4, 1, 1) * x / (1 + sigma) + e[4:].reshape(4, 1, 1))  # noqa: E731
    monkeypatch.setattr(standin.Model, "eps", local)  # no place sees another one
    rule = SGTv2(warmup_steps=0, subject_threshold=1.0, abstract_threshold=0.0, subject_percentile=0.0)
    drawn, without = sample(guider_of(rule, concepts_of(REGIONS[name]))), plain(samplers)
    left, right = (
        drawn[..., : SIZE // 2] - without[..., : SIZE // 2],
        drawn[..., SIZE // 2 :] - without[..., SIZE // 2 :],
    )
    inside, outside = (left, right) if name == "area" else (right, left)
    assert inside.abs().max() > 0.01
    assert outside.abs().max() < 1e-9


def test_an_area_on_the_whole_prompt_is_that_of_its_concepts(samplers: Any) -> None:
    from semguide.adapters.hosts.comfyui.guider import SemanticGuider

    del samplers
    guider = SemanticGuider(standin.Patcher(), SGT(stop=0.1))
    guider.set_conds(conditioning(PROMPT, area=LEFT), conditioning(""), concepts_of({}, {}))
    assert torch.isfinite(sample(guider)).all()
    assert guider.inner_model.sizes[2:8].count((SIZE, SIZE // 2)) >= 4


@pytest.mark.parametrize("rule", [SGT(stop=1.0), SGTv2(warmup_steps=1)])
def test_an_area_on_a_part_of_the_prompt_is_none_of_its_concepts(samplers: Any, rule: Any) -> None:
    from semguide.adapters.hosts.comfyui.guider import SemanticGuider
    from semguide.adapters.hosts.comfyui.model_patch import ModelPatch

    positive, concepts = conditioning(PROMPT, area=LEFT) + conditioning(PROMPT), concepts_of({}, {})
    guider = SemanticGuider(standin.Patcher(), rule)
    guider.set_conds(positive, conditioning(""), concepts)
    patched = samplers.CFGGuider(ModelPatch(rule, concepts).patched(standin.Patcher()))
    patched.set_conds(positive, conditioning(""))
    patched.set_cfg(7.5)
    torch.testing.assert_close(sample(guider), sample(patched), rtol=1e-9, atol=1e-9)
    assert sample(guider).abs().max() < 10 * plain(samplers).abs().max()


def plain_at_1(samplers: Any) -> torch.Tensor:
    guider = samplers.CFGGuider(standin.Patcher())
    guider.set_conds(conditioning(PROMPT), conditioning(""))
    guider.set_cfg(1.0)
    return sample(guider)


@pytest.mark.parametrize("everywhere", [False, True])
@pytest.mark.parametrize("name", ["area", "bounds"])
def test_without_guidance_nothing_stands_for_a_concept_outside_its_area(
    samplers: Any, name: str, everywhere: bool
) -> None:
    first = conditioning(CONCEPTS[0], **REGIONS[name]) + (conditioning(CONCEPTS[0]) if everywhere else [])
    guider = guider_of(SGT(1.0), [first, conditioning(CONCEPTS[1])])
    with pytest.warns(RuleNeverActed, match="nothing stands for a concept outside its area"):
        assert torch.equal(sample(guider), plain_at_1(samplers))


def test_without_guidance_a_concept_in_a_range_of_steps_is_steered(samplers: Any) -> None:
    drawn = sample(guider_of(SGT(1.0), concepts_of(REGIONS["range"], {})))
    assert not torch.equal(drawn, plain_at_1(samplers))


@pytest.mark.parametrize("name", ["area", "mask", "bounds", "range"])
def test_a_concept_somewhere_and_everywhere_is_compared_everywhere(samplers: Any, name: str) -> None:
    twice = [conditioning(CONCEPTS[0], **REGIONS[name]) + conditioning(CONCEPTS[0]), conditioning(CONCEPTS[1])]
    rule = SGTv2(warmup_steps=1)
    drawn, everywhere = sample(guider_of(rule, twice)), sample(guider_of(rule, concepts_of({}, {})))
    difference = (everywhere - plain(samplers)).abs().max()
    assert (drawn - everywhere).abs().max() < difference
