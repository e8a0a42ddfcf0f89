"""The whole folder: the guider keeps its rule under model offload, switched on before or after it; nothing is left."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from diffusers import ClassifierFreeGuidance, ComponentsManager

from adapters.guiders.test_every_pipeline import EAGER, asked, rows
from adapters.guiders.test_guider_pipeline import GUIDED, NAMES, prompts_of, with_guider
from adapters.pipelines.families.test_left_as_found import state_of
from semguide import with_semantic_guidance
from support.families.run import run
from support.guiders.run import SCALE, assembled, call, parts

pytestmark = pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")  # Wan-Animate 2


@pytest.fixture(autouse=True)
def cpu_as_accelerator(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the CPU answer what offload asks of an accelerator."""
    monkeypatch.setattr(torch.cpu, "mem_get_info", lambda _=None: (2**40, 2**40), raising=False)
    monkeypatch.setattr("diffusers.pipelines.pipeline_utils.empty_device_cache", lambda *_: None)


@rows
def test_automatic_offload_before_or_after_the_guider_keeps_the_rule_in_every_call(name: str) -> None:
    plain = assembled(name, parts(name))
    prompts, _, given = asked(name)
    tuned = with_semantic_guidance(plain, EAGER)
    expected = call(name, tuned, prompts, **given)
    manager = ComponentsManager()
    for part, module in modules_of(plain).items():
        manager.add(part, module)
    moved: set[str] = set()
    manager.enable_auto_cpu_offload(device="cpu", offload_strategy=noting(moved))
    before, forwards = state_of(plain), forwards_of(plain)
    for again in (tuned, tuned, with_semantic_guidance(plain, EAGER)):
        moved.clear()
        assert torch.equal(call(name, again, prompts, **given), expected)
        assert {"transformer", "unet"} & moved, "offload must stay in force"
        assert (state_of(plain), forwards_of(plain)) == (before, forwards)
    manager.disable_auto_cpu_offload()
    assert not any(hasattr(module, "_hf_hook") for module in modules_of(plain).values())
    assert torch.equal(call(name, tuned, prompts, **given), expected)


@NAMES
def test_model_offload_before_or_after_the_guider_keeps_the_rule_in_every_call(name: str) -> None:
    family, prompts = GUIDED[name], prompts_of(name)
    pipe = with_guider(family.make(), ClassifierFreeGuidance(guidance_scale=SCALE))
    own, tuned = pipe.guider, with_semantic_guidance(pipe, EAGER)
    expected = run(tuned, family, prompts)
    pipe.enable_model_cpu_offload(device="cpu")
    run(pipe, family, prompts)  # moves the hooks once, as each call does
    before = state_of(pipe)
    for again in (tuned, tuned, with_semantic_guidance(pipe, EAGER)):
        assert torch.equal(run(again, family, prompts), expected)
        assert hasattr(pipe.transformer, "_hf_hook"), "offload must stay on"
        assert state_of(pipe) == before
        assert pipe.guider is own
    pipe.remove_all_hooks()
    assert torch.equal(run(tuned, family, prompts), expected)


def modules_of(pipe: Any) -> Mapping[str, torch.nn.Module]:
    """Return a pipeline's models."""
    return {name: part for name, part in pipe.components.items() if isinstance(part, torch.nn.Module)}


def forwards_of(pipe: Any) -> Mapping[str, Callable[..., Any]]:
    """Return what calls of a pipeline's models reach."""
    return {name: module.forward for name, module in modules_of(pipe).items()}


def noting(moved: set[str]) -> Callable[..., list[Any]]:
    """Return a strategy that moves all others aside and takes down which model was moved to the device."""

    def strategy(hooks: list[Any], model_id: str, **_: Any) -> list[Any]:
        moved.add(model_id.rsplit("_", 1)[0])
        return hooks

    return strategy
