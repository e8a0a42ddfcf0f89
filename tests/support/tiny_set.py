"""The smallest set of checkpoints that every recipe can train, in seconds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from semguide_emoji.scenes import SMALL_WORLD
from semguide_emoji.training.loop import TrainingSettings
from semguide_emoji.training.presets import Preset
from semguide_emoji.training.recipes import RECIPES

SETTINGS = TrainingSettings(steps=2, batch_size=4, learning_rate=1e-3, warmup=1, ema=0.9, sheet_steps=1000)

TINY = Preset(
    world=SMALL_WORLD,
    drawn_world=SMALL_WORLD,
    size=32,
    latent_channels=4,
    vae_channels=(8, 8, 8, 16),
    unet_channels=(32, 32),
    flow_width=32,
    flow_layers=2,
    clip_width=32,
    prompt_length=32,
    flow_prompt_length=24,
    judge_width=8,
    settings={name: replace(SETTINGS, seed=seed) for seed, name in enumerate(RECIPES)},
)


def train_tiny_set(folder: Path) -> Path:
    """Train all of it for two steps each."""
    for name, recipe in RECIPES.items():
        recipe(TINY, TINY.settings[name], folder)
    return folder
