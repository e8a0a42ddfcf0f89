"""Pipelines that share a denoiser do not see each other: in threads, and from a callback."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
import torch

from semguide import steer
from support.rule_cases import ACTIVE
from support.tiny.calls import PROMPT, call, fresh

RULE = ACTIVE[0]
PLAIN: dict[str, Any] = {"guidance_scale": 7.5}


def test_threads_steered_and_plain_make_what_they_make_alone(loaded_sd: Any) -> None:
    pipes = [fresh(loaded_sd) for _ in range(3)]
    with ThreadPoolExecutor(1) as alone:  # a thread has settings of its own, such as how it rounds
        steered = alone.submit(call, steer(pipes[0], RULE)).result()
        plain = alone.submit(call, pipes[2], **PLAIN).result()
    unet, vae, met = vars(loaded_sd.unet).copy(), loaded_sd.vae.use_slicing, Barrier(3)
    tokenizer = set(vars(loaded_sd.tokenizer))

    def meet(_pipe: Any, step: int, _timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        if step < 2:
            met.wait(60)  # every one is in the middle of its run at once
        return tensors

    runs = [(steer(pipes[0], RULE), {}), (steer(pipes[1], RULE), {}), (pipes[2], PLAIN)]
    with ThreadPoolExecutor(3) as pool:
        futures = [pool.submit(call, pipe, callback_on_step_end=meet, **given) for pipe, given in runs]
    first, second, third = [future.result() for future in futures]
    assert torch.equal(first, steered)
    assert torch.equal(second, steered)
    assert torch.equal(third, plain)
    assert set(vars(loaded_sd.unet)) == set(unet)
    assert set(vars(loaded_sd.tokenizer)) == tokenizer
    assert loaded_sd.vae.use_slicing == vae
    with ThreadPoolExecutor(1) as alone:
        assert torch.equal(alone.submit(call, pipes[0], **PLAIN).result(), plain)


def test_two_threads_with_one_pipeline_take_turns(loaded_sd: Any) -> None:
    pipe = fresh(loaded_sd)
    with ThreadPoolExecutor(1) as alone:
        expected = alone.submit(call, steer(pipe, RULE)).result()
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda _: call(steer(pipe, RULE)), range(2)))
    assert all(torch.equal(result, expected) for result in results)


@pytest.mark.parametrize("inner", ["steered", "plain"])
@pytest.mark.parametrize("outer", ["steered", "plain"])
def test_callback_may_run_another_pipeline_on_the_same_denoiser(loaded_sd: Any, outer: str, inner: str) -> None:
    pipes = {"outer": fresh(loaded_sd), "inner": fresh(loaded_sd)}

    def made(which: str, kind: str, **given: Any) -> torch.Tensor:
        pipe = pipes[which]
        return call(steer(pipe, RULE), **given) if kind == "steered" else call(pipe, **PLAIN, **given)

    alone = made("outer", outer), made("inner", inner)
    found: list[torch.Tensor] = []

    def nested(_pipe: Any, step: int, _timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        if step == 1:
            found.append(made("inner", inner))
        return tensors

    before = set(vars(loaded_sd.unet))
    assert torch.equal(made("outer", outer, callback_on_step_end=nested), alone[0])
    assert torch.equal(found[0], alone[1])
    assert set(vars(loaded_sd.unet)) == before


def test_observer_may_run_another_pipeline_on_the_same_denoiser(loaded_sd: Any) -> None:
    pipe, other = fresh(loaded_sd), fresh(loaded_sd)
    steered, plain = call(steer(pipe, RULE)), call(other, **PLAIN)
    found: list[torch.Tensor] = []

    def nested(_image: int, step: int, _correction: Any) -> None:
        if step == 1:
            found.append(call(other, **PLAIN))

    assert torch.equal(call(steer(pipe, RULE), PROMPT, observer=nested), steered)
    assert torch.equal(found[0], plain)
