"""The distillation against diffusers' own schedulers."""

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import DDIMScheduler, LCMScheduler

from semguide_emoji.scenes import SMALL_WORLD
from semguide_emoji.training.data import Batches
from semguide_emoji.training.parts import assembled
from semguide_emoji.training.turbo import GRID, STEPS, TurboRecipe, few_step_scheduler
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


@pytest.fixture
def noised(recipe: TurboRecipe) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(1)
    hidden = recipe.pipe.text_encoder(recipe.pool(0)[1])[0]
    return {"z": torch.randn(4, 4, 4, 4, generator=generator), "t": torch.tensor([599] * 4), "hidden": hidden}


@torch.no_grad()
def test_the_teacher_s_step_is_a_guided_ddim_step_without_the_lora(recipe: TurboRecipe, noised: dict[str, Any]):
    found = recipe._guided_step(before=torch.tensor([579] * 4), **noised)
    scheduler = DDIMScheduler.from_config(recipe.pipe.scheduler.config, steps_offset=19)
    scheduler.set_timesteps(GRID)
    recipe.model.disable_adapters()
    empty = recipe.pipe.text_encoder(recipe.pool.empty)[0].expand_as(noised["hidden"])
    uncond, cond = (recipe.model(noised["z"], 599, text).sample for text in (empty, noised["hidden"]))
    recipe.model.enable_adapters()
    expected = scheduler.step(uncond + SCALE * (cond - uncond), 599, noised["z"]).prev_sample
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_what_is_consistent_is_what_the_scheduler_of_few_steps_makes_of_a_prediction(
    recipe: TurboRecipe, noised: dict[str, Any]
):
    scheduler = few_step_scheduler(recipe.pipe)
    scheduler.set_timesteps(STEPS)
    t = scheduler.timesteps[-1]
    assert int(t) in recipe._grid
    found = recipe._consistent(noised["z"], t.expand(4), noised["hidden"])
    scheduler._init_step_index(t)
    expected = scheduler.step(recipe.model(noised["z"], t, noised["hidden"]).sample, t, noised["z"]).denoised
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_all_steps_of_the_scheduler_are_steps_that_are_trained(recipe: TurboRecipe):
    scheduler = few_step_scheduler(recipe.pipe)
    assert isinstance(scheduler, LCMScheduler)
    for steps in (1, 2, STEPS, 8):
        scheduler.set_timesteps(steps)
        assert set(scheduler.timesteps.tolist()) <= set(recipe._grid.tolist())


def test_only_the_lora_is_trained_and_the_teacher_stays_what_it_was(recipe: TurboRecipe):
    recipe.loss(0, torch.Generator().manual_seed(0)).backward()
    trained = {name for name, weights in recipe.model.named_parameters() if weights.grad is not None}
    assert trained
    assert all("lora_" in name for name in trained)
    recipe.model.zero_grad()
