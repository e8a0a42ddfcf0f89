"""The pipeline is as it was after each call, whatever happens in it; offload and compilation stay in force."""

from __future__ import annotations

from typing import Any

import jaxtyping
import pytest
import torch

from semguide import CFG, GuidanceNotApplied, steer
from semguide.adapters.pipelines.patching import one_by_one_decoding, replaced_forward
from support.rule_cases import ACTIVE
from support.tiny.calls import PROMPT, STEPS, call, fresh

RULE = ACTIVE[0]
TWO = ["a cat", PROMPT]


class StopHereError(Exception):
    """Raised in the middle of a run."""


def state_of(pipe: Any) -> dict[str, Any]:
    """Return what could be left behind: attributes and hooks of the modules, and their settings."""
    modules = {name: part for name, part in pipe.components.items() if isinstance(part, torch.nn.Module)}
    attributes = {name: set(vars(part)) for name, part in modules.items()}
    hooks = {name: (len(part._forward_hooks), len(part._forward_pre_hooks)) for name, part in modules.items()}
    return {"pipe": set(vars(pipe)), "modules": attributes, "hooks": hooks, "slicing": pipe.vae.use_slicing}


@pytest.mark.parametrize("prompt", [PROMPT, TWO], ids=["one", "two"])
def test_second_call_and_plain_call_are_as_the_first(pipe: Any, prompt: Any) -> None:
    plain, before = call(pipe, prompt, guidance_scale=7.5), state_of(pipe)
    steered = steer(pipe, RULE)
    first = call(steered, prompt)
    assert state_of(pipe) == before
    assert torch.equal(call(pipe, prompt, guidance_scale=7.5), plain)
    assert torch.equal(call(steered, prompt), first)
    assert torch.equal(call(steer(pipe, RULE), prompt), first)


@pytest.mark.parametrize("prompt", [PROMPT, TWO], ids=["one", "two"])
def test_exception_in_the_middle_leaves_nothing_behind(pipe: Any, prompt: Any) -> None:
    plain, before = call(pipe, prompt, guidance_scale=7.5), state_of(pipe)

    def stop(_pipe: Any, step: int, _timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        if step == 1:
            raise StopHereError
        return tensors

    with pytest.raises(StopHereError):
        call(steer(pipe, RULE), prompt, callback_on_step_end=stop)
    assert state_of(pipe) == before
    assert torch.equal(call(pipe, prompt, guidance_scale=7.5), plain)


def test_forward_of_someone_else_is_put_back(loaded_sd: Any) -> None:
    pipe = fresh(loaded_sd, deep=True)
    original = pipe.unet.forward

    def theirs(*args: Any, **kwargs: Any) -> Any:
        return original(*args, **kwargs)

    pipe.unet.forward = theirs
    call(steer(pipe, RULE))
    assert pipe.unet.forward is theirs


@pytest.fixture
def offloaded(loaded_sd: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a pipeline that can be offloaded without an accelerator: to the CPU itself, by the same hooks."""
    pipe = fresh(loaded_sd, deep=True)
    enable = pipe.enable_model_cpu_offload
    monkeypatch.setattr(pipe, "enable_model_cpu_offload", lambda **_: enable(device="cpu"))
    monkeypatch.setattr("diffusers.pipelines.pipeline_utils.empty_device_cache", lambda *_: None)
    return pipe


@pytest.mark.parametrize("offload_first", [True, False])
def test_model_offload_before_or_after_steer_keeps_the_rule_in_every_call(offloaded: Any, offload_first: bool) -> None:
    expected = call(steer(offloaded, RULE))
    if offload_first:
        offloaded.enable_model_cpu_offload()
    steered = steer(offloaded, RULE)
    if not offload_first:
        call(steered)
        offloaded.enable_model_cpu_offload()
    for _ in range(3):
        assert torch.equal(call(steered), expected)
        assert hasattr(offloaded.unet, "_hf_hook"), "offload must stay on"
        assert offloaded.unet._old_forward.__func__ is type(offloaded.unet).forward
    offloaded.remove_all_hooks()
    assert torch.equal(call(steered), expected)


def test_offload_stays_in_force_inside_the_call(offloaded: Any) -> None:
    offloaded.enable_model_cpu_offload()
    seen: list[int] = []
    hook = offloaded.unet._hf_hook
    before = hook.pre_forward
    hook.pre_forward = lambda *args, **kwargs: (seen.append(1), before(*args, **kwargs))[1]
    call(steer(offloaded, RULE))
    assert len(seen) == 2 * STEPS


def test_exception_with_offload_leaves_the_hooks(offloaded: Any) -> None:
    offloaded.enable_model_cpu_offload()
    call(offloaded, guidance_scale=7.5)
    before, hooked = state_of(offloaded), offloaded.unet.forward

    def stop(*_: Any) -> Any:
        raise StopHereError

    with pytest.raises(StopHereError):
        call(steer(offloaded, RULE), callback_on_step_end=stop)
    assert offloaded.unet.forward is hooked
    assert state_of(offloaded) == before


def test_denoiser_called_past_the_rule_is_an_error(loaded_sd: Any) -> None:
    pipe = fresh(loaded_sd, deep=True)

    def rehook(pipe: Any, step: int, _timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        if step == 0:
            pipe.unet.forward = type(pipe.unet).forward.__get__(pipe.unet)
        return tensors

    with pytest.raises(GuidanceNotApplied, match=f"the rule ran at 1 of {STEPS} steps of StableDiffusionPipeline"):
        call(steer(pipe, RULE), callback_on_step_end=rehook)
    with pytest.raises(GuidanceNotApplied):
        call(steer(pipe, CFG()), callback_on_step_end=rehook)


def test_interrupted_run_ends_early_without_an_error(pipe: Any) -> None:
    def interrupt(pipe: Any, step: int, _timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        pipe._interrupt = step == 1
        return tensors

    result = steer(pipe, RULE)(PROMPT, num_inference_steps=4, output_type="latent", callback_on_step_end=interrupt)
    assert result.evaluations == [8]


def test_replacement_of_a_forward_is_undone_on_the_way_out() -> None:
    module = torch.nn.Linear(2, 2)
    keys = set(vars(module))
    with replaced_forward(module, lambda forward: lambda x: forward(x) + 1):
        assert torch.equal(module(torch.zeros(2)), module.bias + 1)
    assert set(vars(module)) == keys


def test_autoencoders_without_slicing_are_left_alone() -> None:
    part = object()
    with one_by_one_decoding(part):
        pass


@pytest.mark.filterwarnings("ignore")  # of torch's compiler, about itself
@pytest.mark.parametrize("fullgraph", [True, pytest.param(False, marks=pytest.mark.slow)])
@pytest.mark.parametrize("in_place", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_compiled_denoisers_are_steered(
    loaded_sd: Any, in_place: bool, fullgraph: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # the compiler cannot follow shape checks
    pipe = fresh(loaded_sd, deep=True)
    expected = call(steer(pipe, RULE), TWO)
    if in_place:
        pipe.unet.compile(backend="eager", fullgraph=fullgraph)
    else:
        pipe.unet = torch.compile(pipe.unet, backend="eager", fullgraph=fullgraph)
    compiled = set(vars(pipe.unet))
    for _ in range(2):
        torch.testing.assert_close(call(steer(pipe, RULE), TWO), expected)
    assert set(vars(pipe.unet)) == compiled
    torch.testing.assert_close(call(pipe, TWO, guidance_scale=7.5), call(steer(pipe, CFG()), TWO))
