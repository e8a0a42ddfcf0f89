"""What keeps state between the calls of a denoiser is refused, with its name and how to take it off."""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType
from typing import Any

import pytest
import torch
from diffusers import hooks

from semguide import UnsupportedPipeline, steer
from semguide.adapters.pipelines.caches import check_no_cache
from support.rule_cases import ACTIVE
from support.tiny.calls import call, fresh

RULE = ACTIVE[0]


class Block(torch.nn.Module):
    """A part of a denoiser."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(2, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(x)


class Denoiser(torch.nn.Module):
    """A denoiser of two parts."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = torch.nn.ModuleList([Block(), Block()])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for block in self.blocks:
            x = block(x)
        return x


class Keeping(hooks.ModelHook):
    """A hook of the interface that diffusers' caches have."""

    _is_stateful = True

    def reset_state(self, module: torch.nn.Module) -> torch.nn.Module:
        return module


def with_hook(denoiser: Any) -> None:
    hooks.HookRegistry.check_if_exists_or_initialize(denoiser.blocks[1]).register_hook(Keeping(), "keeping")


def with_child_forward(denoiser: Any) -> None:
    denoiser.blocks[1].forward = lambda x: x


def with_exchanged_forward(denoiser: Any) -> None:
    denoiser.forward = MethodType(lambda self, x: x, denoiser)


def with_cache_dit(denoiser: Any) -> None:
    denoiser._is_cached = True


@pytest.mark.parametrize(
    ("put_on", "told"),
    [
        (with_hook, r"x\.blocks\.1 has Keeping, .* take it off first: .* for hook in 'keeping'"),
        (with_child_forward, r"x\.blocks\.1 has .*<lambda> in the place of its forward.*\(del x\.blocks\.1\.forward"),
        (with_exchanged_forward, "x has .*<lambda> in the place of its forward"),
        (with_cache_dit, r"cache_dit\.disable_cache"),
    ],
)
def test_what_keeps_state_is_refused_by_name(put_on: Callable[[Any], None], told: str) -> None:
    denoiser = Denoiser()
    check_no_cache(denoiser, "x")
    put_on(denoiser)
    with pytest.raises(UnsupportedPipeline, match=told):
        check_no_cache(denoiser, "x")
    with pytest.raises(UnsupportedPipeline, match=told):
        check_no_cache(torch.compile(denoiser, backend="eager"), "x")


def test_forward_replaced_on_a_class_is_refused(loaded_sd: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    forward = type(loaded_sd.unet).forward

    def theirs(self: Any, *args: Any, **kwargs: Any) -> Any:
        return forward(self, *args, **kwargs)

    monkeypatch.setattr(type(loaded_sd.unet), "forward", theirs)
    with pytest.raises(UnsupportedPipeline, match=r"pipe\.unet has .*theirs in the place of UNet2DConditionModel"):
        call(steer(loaded_sd, RULE))


def test_pipeline_with_a_part_replaced_is_refused_and_steered_again_without_it(loaded_sd: Any) -> None:
    pipe = fresh(loaded_sd, deep=True)
    expected = call(steer(pipe, RULE))
    block = pipe.unet.mid_block
    block.forward = lambda *args, **kwargs: args[0]
    with pytest.raises(UnsupportedPipeline, match=r"del pipe\.unet\.mid_block\.forward"):
        call(steer(pipe, RULE))
    del block.forward
    assert torch.equal(call(steer(pipe, RULE)), expected)


@pytest.mark.parametrize(
    "name",
    [
        "apply_mag_cache",
        "apply_first_block_cache",
        "apply_taylorseer_cache",
        "apply_pyramid_attention_broadcast",
        "apply_faster_cache",
    ],
)
def test_caches_of_diffusers_are_refused_where_no_cache_is_said_to_be_enabled(name: str) -> None:
    import diffusers

    from support.tiny.pipelines import tiny

    pipe = tiny("FluxPipeline")
    configs: dict[str, Any] = {
        "apply_mag_cache": diffusers.MagCacheConfig(num_inference_steps=3, mag_ratios=torch.ones(3)),
        "apply_first_block_cache": hooks.FirstBlockCacheConfig(threshold=0.1),
        "apply_taylorseer_cache": diffusers.TaylorSeerCacheConfig(),
        "apply_pyramid_attention_broadcast": hooks.PyramidAttentionBroadcastConfig(
            spatial_attention_block_skip_range=2, current_timestep_callback=lambda: 500
        ),
        "apply_faster_cache": hooks.FasterCacheConfig(
            spatial_attention_block_skip_range=2, current_timestep_callback=lambda: 500
        ),
    }
    getattr(hooks, name)(pipe.transformer, configs[name])
    with pytest.raises(UnsupportedPipeline, match="keeps state between its calls"):
        check_no_cache(pipe.transformer, "pipe.transformer")
    check_no_cache(pipe.transformer, "pipe.transformer", own_caches=True)


def test_what_keeps_no_state_passes() -> None:
    from accelerate import cpu_offload
    from peft import LoraConfig, inject_adapter_in_model

    denoiser = Denoiser()
    inject_adapter_in_model(LoraConfig(r=2, target_modules=["linear"]), denoiser)
    hooks.apply_layerwise_casting(denoiser, storage_dtype=torch.bfloat16, compute_dtype=torch.float32)
    denoiser.compile(backend="eager")
    check_no_cache(denoiser, "x")
    forward = denoiser.forward
    denoiser.forward = lambda x: forward(1 * x)
    check_no_cache(denoiser, "x")
    offloaded = Denoiser()
    cpu_offload(offloaded, execution_device=torch.device("cpu"))
    check_no_cache(offloaded, "x")


def test_part_without_weights_may_have_another_forward(sd: Any) -> None:
    pipe = fresh(sd)
    own = pipe.unet.time_proj.forward
    pipe.unet.time_proj.forward = lambda timesteps: 1.0 * own(timesteps)
    try:
        check_no_cache(pipe.unet, "unet")
    finally:
        del pipe.unet.time_proj.forward
