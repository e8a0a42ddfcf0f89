"""Patches of others that keep state between the calls of a denoiser are refused, whatever they are called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from semguide import SGT, UnsupportedPipeline, steer, with_semantic_guidance
from semguide.adapters.pipelines.patches import PatchWatch
from support.rule_cases import ACTIVE
from support.tiny.calls import call, fresh

RULE = ACTIVE[0]


def every_other_step(unet: Any) -> None:
    """Answer every second call with what was made before."""
    forward, last, calls = unet.forward, None, 0

    def quick(*args: Any, **kwargs: Any) -> Any:
        nonlocal last, calls
        calls += 1
        if calls % 2:
            last = forward(*args, **kwargs)
        return last

    unet.forward = quick


class Blending:
    """Mixes each answer with the one before."""

    def __init__(self, forward: Any) -> None:
        self.forward = forward
        self.before: Any = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        output = self.forward(*args, **kwargs)
        sample = output[0]
        if self.before is not None and len(self.before) == len(sample):
            sample = 0.9 * sample + 0.1 * self.before
        self.before = sample
        return (sample,)


def blended(unet: Any) -> None:
    unet.forward = Blending(unet.forward)


class DeepFeatures:
    """What DeepCache does: the deep blocks of a U-Net run at every third step only."""

    def __init__(self, unet: Any) -> None:
        self.unet, self.features, self.calls = unet, {}, 0

    def enable(self) -> None:
        self.whole = self.unet.forward
        self.unet.forward = self.step
        for name, block in (("mid", self.unet.mid_block), ("up", self.unet.up_blocks[0])):
            block.forward = self.kept(name, block.forward)

    def disable(self) -> None:
        for module in (self.unet, self.unet.mid_block, self.unet.up_blocks[0]):
            del module.forward

    def step(self, *args: Any, **kwargs: Any) -> Any:
        self.calls += 1
        return self.whole(*args, **kwargs)

    def kept(self, name: str, forward: Any) -> Any:
        def block(*args: Any, **kwargs: Any) -> Any:
            if self.calls % 3 == 1:
                self.features[name] = forward(*args, **kwargs)
            return self.features[name]

        return block


class CachedBlock(torch.nn.Module):
    """What cache-dit does: a module in the place of a block, which adds the difference that it made before."""

    def __init__(self, block: Any) -> None:
        super().__init__()
        self.block = block
        self.difference: Any = None

    def forward(self, hidden_states: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        output = self.block(hidden_states, *args, **kwargs)
        self.difference = output - hidden_states
        return output


def exchanged_block(unet: Any) -> None:
    unet.mid_block = CachedBlock(unet.mid_block)


class Remembering:
    """An attention processor that shows each call the values of the one before."""

    def __init__(self, processor: Any) -> None:
        self.processor = processor
        self.bank: dict[str, Any] = {}

    def __call__(self, attn: Any, hidden_states: Any, *args: Any, **kwargs: Any) -> Any:
        self.bank["last"] = hidden_states
        return self.processor(attn, hidden_states, *args, **kwargs)


def remembering(unet: Any) -> None:
    unet.set_attn_processor({name: Remembering(one) for name, one in unet.attn_processors.items()})


STATEFUL = {
    "a step that is skipped": (every_other_step, r"quick around pipe\.unet\.forward answered a call without asking"),
    "a blend": (blended, r"Blending around pipe\.unet\.forward keeps tensors from one call to the next"),
    "deep features": (lambda unet: DeepFeatures(unet).enable(), "in the place of its forward"),
    "an exchanged block": (exchanged_block, r"CachedBlock at pipe\.unet\.mid_block keeps tensors"),
    "an attention processor": (remembering, r"Remembering at pipe\.unet\..*\.processor keeps tensors"),
}


@pytest.mark.parametrize("name", STATEFUL)
def test_what_keeps_state_is_refused_whatever_it_is_called(loaded_sd: Any, name: str) -> None:
    put_on, told = STATEFUL[name]
    pipe = fresh(loaded_sd, deep=True)
    put_on(pipe.unet)
    kept = set(vars(pipe.unet))
    with pytest.raises(UnsupportedPipeline, match=told):
        call(steer(pipe, RULE))
    assert set(vars(pipe.unet)) == kept
    assert not any(module._forward_pre_hooks for module in pipe.unet.modules())


def test_pipeline_is_steered_again_without_what_kept_state(loaded_sd: Any) -> None:
    pipe = fresh(loaded_sd, deep=True)
    expected = call(steer(pipe, RULE))
    helper = DeepFeatures(pipe.unet)
    helper.enable()
    with pytest.raises(UnsupportedPipeline):
        call(steer(pipe, RULE))
    helper.disable()
    assert torch.equal(call(steer(pipe, RULE)), expected)


class Attending:
    """An attention processor that keeps a table, made once, and numbers."""

    def __init__(self, processor: Any) -> None:
        self.processor, self.table, self.norms = processor, None, []

    def __call__(self, attn: Any, hidden_states: Any, *args: Any, **kwargs: Any) -> Any:
        if self.table is None:
            self.table = torch.ones(1)
        self.norms.append(float(hidden_states.norm()))
        return self.processor(attn, hidden_states * self.table, *args, **kwargs)


def test_what_only_looks_on_passes_and_changes_nothing(loaded_sd: Any) -> None:
    pipe = fresh(loaded_sd, deep=True)
    expected = call(steer(pipe, RULE))
    pipe.unet.set_attn_processor({name: Attending(one) for name, one in pipe.unet.attn_processors.items()})
    forward, seen = pipe.unet.forward, []

    def looked_at(*args: Any, **kwargs: Any) -> Any:
        seen.append(len(args[0]))
        return forward(*args, **kwargs)

    pipe.unet.forward = looked_at
    assert torch.equal(call(steer(pipe, RULE)), expected)
    assert len(seen) == 6


@pytest.mark.parametrize("put_on", [every_other_step, blended])
def test_guider_refuses_what_keeps_state_too(put_on: Callable[[Any], None]) -> None:
    from support.guiders.run import assembled, parts
    from support.guiders.run import call as run

    pipe = assembled("sd3", parts("sd3"))
    put_on(pipe.transformer)
    tuned = with_semantic_guidance(pipe, SGT(4.0, stop=1.0))
    with pytest.raises(UnsupportedPipeline, match=r"the denoiser.* take it off first"):
        run("sd3", tuned, "a red book and a yellow vase", negative_prompt="blurry")


def test_denoiser_without_patches_is_called_directly(loaded_sd: Any) -> None:
    forward = loaded_sd.unet.forward
    assert PatchWatch(loaded_sd.unet, "pipe.unet").watched(forward) is forward
