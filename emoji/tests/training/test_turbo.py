"""The distillation against diffusers' own schedulers."""

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import DDIMScheduler, LCMScheduler, TCDScheduler

from semguide_emoji.scenes import SMALL_WORLD
from semguide_emoji.training.data import Batches
from semguide_emoji.training.parts import assembled
from semguide_emoji.training.turbo import (
    MOST_STEPS,
    STEPS,
    Trajectories,
    TurboRecipe,
    clean,
    encode,
    few_step_scheduler,
    predict,
)
from support.tiny_set import TINY

SCALE = 5.0


@pytest.fixture(scope="module")
def recipe(tiny_set: Path) -> TurboRecipe:
    torch.manual_seed(0)
    made = TurboRecipe(assembled(TINY, tiny_set), Batches(SMALL_WORLD, 32, 4), SCALE)
    for name, weights in made.model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weights, std=0.1)  # a LoRA that has learned something
    return made.model.eval() and made


def pool(recipe: TurboRecipe, repeats: int = 2) -> Trajectories:
    return Trajectories(recipe.pipe, Batches(SMALL_WORLD, 32, 4), SCALE, size=1, repeats=repeats)


@torch.no_grad()
def test_a_trajectory_is_guided_ddim_without_the_lora(recipe: TurboRecipe):
    drawn = pool(recipe)
    z, steps, hidden, end = drawn._draw(0)
    unet, pipe = recipe.model, recipe.pipe
    unet.disable_adapters()
    x, text = z[:4], hidden[:4]
    empty = encode(pipe, [""]).expand_as(text)
    for t, following in zip(drawn.steps, (*drawn.steps[1:], 0), strict=True):
        eps = [unet(x, t, each).sample for each in (empty, text)]
        scheduler: Any = DDIMScheduler.from_config(pipe.scheduler.config)
        scheduler.num_inference_steps = 1000 // (t - following) if 1000 % (t - following) == 0 else None
        guided = eps[0] + SCALE * (eps[1] - eps[0])
        stepped = x_after(scheduler, guided, t, following, x)
        if scheduler.num_inference_steps is not None and following > 0:
            torch.testing.assert_close(stepped, scheduler.step(guided, t, x).prev_sample, rtol=1e-4, atol=1e-4)
        x = stepped
    unet.enable_adapters()
    torch.testing.assert_close(end[:4], x, rtol=1e-3, atol=1e-3)
    assert steps[::4].tolist() == list(drawn.trained)
    assert torch.equal(end[:4], end[-4:])


def x_after(scheduler: Any, eps: torch.Tensor, t: int, following: int, x: torch.Tensor) -> torch.Tensor:
    """DDIM's formula (arXiv 2010.02502, eq. 12 without noise)."""
    here, there = scheduler.alphas_cumprod[t], scheduler.alphas_cumprod[following]
    return there.sqrt() * (x - (1 - here).sqrt() * eps) / here.sqrt() + (1 - there).sqrt() * eps


@torch.no_grad()
@pytest.mark.parametrize("kind", [TCDScheduler, LCMScheduler])
def test_what_is_trained_is_what_a_scheduler_of_few_steps_takes_for_the_end(recipe: TurboRecipe, kind: Any):
    scheduler = kind.from_config(few_step_scheduler(recipe.pipe).config)
    scheduler.set_timesteps(STEPS)
    t = scheduler.timesteps[-1]
    z, hidden = torch.randn(4, 4, 4, 4, generator=torch.Generator().manual_seed(1)), encode(recipe.pipe, ["a cat"] * 4)
    eps = predict(recipe.pipe, z, t, hidden)
    found = clean(recipe.pipe, z, eps, t.expand(4))
    scheduler._init_step_index(t)
    if kind is TCDScheduler:  # its last step ends at the first timestep, which has a little noise
        signal = scheduler.alphas_cumprod[0]
        found = signal.sqrt() * found + (1 - signal).sqrt() * eps
    torch.testing.assert_close(scheduler.step(eps, t, z).prev_sample, found, rtol=1e-4, atol=1e-4)


def test_all_steps_of_the_scheduler_are_trained(recipe: TurboRecipe):
    scheduler = few_step_scheduler(recipe.pipe)
    assert isinstance(scheduler, TCDScheduler)
    for steps in (1, 2, STEPS, MOST_STEPS):
        scheduler.set_timesteps(steps)
        assert set(scheduler.timesteps.tolist()) <= set(pool(recipe).trained)


def test_a_pool_is_gone_through_in_a_fresh_order_and_is_the_same_whoever_asks(recipe: TurboRecipe):
    drawn, again = pool(recipe), pool(recipe)
    each = len(drawn.trained)
    first, second = ([drawn(i)[0].sum().item() for i in range(start, start + each)] for start in (0, each))
    assert sum(first) == pytest.approx(sum(second), rel=1e-4)
    assert first != second
    assert all(torch.equal(*pair) for pair in zip(again(each), drawn(each), strict=True))
    assert not torch.equal(drawn(2 * each)[0], drawn(0)[0])


def test_only_the_lora_is_trained_and_the_teacher_stays_what_it_was(recipe: TurboRecipe):
    recipe.trajectories = pool(recipe)
    recipe.loss(0, torch.Generator().manual_seed(0)).backward()
    trained = {name for name, weights in recipe.model.named_parameters() if weights.grad is not None}
    assert trained
    assert all("lora_" in name for name in trained)
    recipe.model.zero_grad()
