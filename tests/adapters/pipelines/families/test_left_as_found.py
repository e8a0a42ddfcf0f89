"""Every family's pipeline is as it was after each call, whatever happens in it, and can be offloaded."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from semguide import steer
from support.families.rows import ACTIVE, denoisers_of, every_row, steered
from support.families.run import ROWS, made, run
from support.tiny.calls import CONCEPTS


class StopHereError(Exception):
    """Raised in the middle of a run."""


def state_of(pipe: Any) -> dict[str, Any]:
    """Return what could be left behind: attributes and hooks of the parts."""
    parts = {name: part for name, part in pipe.components.items() if hasattr(part, "__dict__")}
    modules = {name: part for name, part in parts.items() if isinstance(part, torch.nn.Module)}
    return {
        "pipe": set(vars(pipe)),
        "parts": {name: set(vars(part)) for name, part in parts.items()},
        "hooks": {name: (len(part._forward_hooks), len(part._forward_pre_hooks)) for name, part in modules.items()},
        "slicing": getattr(pipe.components.get("vae"), "use_slicing", None),
    }


@every_row
def test_pipeline_is_as_it_was_after_a_call_and_after_an_exception(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe, family = made(name), ROWS[name]
    plain, before = run(pipe, family), state_of(pipe)
    steered(pipe, family)
    assert state_of(pipe) == before
    calls: list[int] = []
    step = pipe.scheduler.step

    def stopping(*args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise StopHereError
        return step(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(pipe.scheduler, "step", stopping)
        with pytest.raises(StopHereError):
            steered(pipe, family)
    assert state_of(pipe) == before
    assert torch.equal(run(pipe, family), plain)


@every_row
def test_model_offload_before_or_after_steer_keeps_the_rule_in_every_call(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("diffusers.pipelines.pipeline_utils.empty_device_cache", lambda *_: None)
    pipe, family = ROWS[name].make(), ROWS[name]
    tuned = steer(pipe, ACTIVE)
    expected = run(tuned, family, concepts=CONCEPTS)
    pipe.enable_model_cpu_offload(device="cpu")  # the hooks of an accelerator, to the CPU itself
    for again in (tuned, tuned, steer(pipe, ACTIVE)):
        assert torch.equal(run(again, family, concepts=CONCEPTS), expected)
        assert all(hasattr(denoiser, "_hf_hook") for denoiser in denoisers_of(pipe)), "offload must stay on"
    pipe.remove_all_hooks()
    assert torch.equal(run(tuned, family, concepts=CONCEPTS), expected)
