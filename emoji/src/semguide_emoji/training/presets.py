"""What belongs together in a set of checkpoints: world, sizes of all networks, how long to train each."""

from __future__ import annotations

from dataclasses import dataclass, replace

from semguide_emoji.scenes import SMALL_WORLD, World
from semguide_emoji.training.loop import TrainingSettings


@dataclass(frozen=True)
class Preset:
    """A set of checkpoints that belong together.

    Attributes:
        world: What the autoencoder, CLIP and the judge see.
        drawn_world: What the U-Net learns to draw: the same nouns and colours, simpler scenes.
        size: Side of the pictures, pixels.
        latent_channels: Channels of the f = 8 latents.
        vae_channels: Width of the autoencoder at each resolution.
        unet_channels: Width of the U-Net at each resolution.
        flow_width: Width of the MMDiT, a multiple of 32.
        flow_layers: Depth of the MMDiT.
        clip_width: Width of CLIP's text tower and common space.
        prompt_length: Tokens a prompt may have, the two marks included.
        flow_prompt_length: The same for emoji-flow, where every token costs as much as one of the picture.
        judge_width: Width of the judge.
        settings: Recipe name -> how long and how fast.
    """

    world: World
    drawn_world: World
    size: int
    latent_channels: int
    vae_channels: tuple[int, ...]
    unet_channels: tuple[int, ...]
    flow_width: int
    flow_layers: int
    clip_width: int
    prompt_length: int
    flow_prompt_length: int
    judge_width: int
    settings: dict[str, TrainingSettings]


#: An MMDiT's matrices that Muon trains: attention and feed-forward layers, not the modulation that starts at zero.
MMDIT_MATRICES = r"^transformer_blocks\.\d+\.(attn|ff)"

#: The first embedded checkpoint: 64x64, the 24 Attend-and-Excite nouns, hours on two CPU cores.
SMALL = Preset(
    world=SMALL_WORLD,
    drawn_world=replace(SMALL_WORLD, sizes=("small",), object_weights=(0.5, 0.4, 0.06, 0.04), worn=0.1),
    size=64,
    latent_channels=16,
    vae_channels=(16, 32, 64, 128),
    unet_channels=(96, 192),
    flow_width=192,
    flow_layers=6,
    clip_width=192,
    prompt_length=32,
    flow_prompt_length=24,
    judge_width=32,
    settings={
        "vae": TrainingSettings(steps=8000, batch_size=8, learning_rate=2e-3, warmup=100, ema=0.99, seed=11),
        "decoder": TrainingSettings(steps=4000, batch_size=8, learning_rate=1e-3, warmup=100, ema=0.99, seed=15),
        "clip": TrainingSettings(
            steps=1500, batch_size=128, learning_rate=1e-3, warmup=100, ema=0.99, seed=12, sheet_steps=100
        ),
        "unet": TrainingSettings(
            steps=4000, batch_size=64, learning_rate=1e-3, warmup=300, ema=0.996, seed=13, sheet_steps=500
        ),
        "flow": TrainingSettings(
            steps=8000,
            batch_size=32,
            learning_rate=1.5e-3,
            warmup=200,
            ema=0.998,
            seed=16,
            sheet_steps=1000,
            save_seconds=120,
            muon=MMDIT_MATRICES,
        ),
        "judge": TrainingSettings(steps=14_000, batch_size=32, learning_rate=2e-3, warmup=100, ema=0.99, seed=14),
        "lora": TrainingSettings(
            steps=600, batch_size=8, learning_rate=1e-3, warmup=20, ema=0.98, seed=17, sheet_steps=200
        ),
        "turbo": TrainingSettings(
            steps=3200, batch_size=32, learning_rate=1e-3, warmup=50, ema=0.99, seed=18, sheet_steps=200
        ),
    },
)

#: The size the embedded checkpoints are meant to have: 128x128, 76 nouns, half an hour on an accelerator. Its networks
#: stay within the 64 MiB that all checkpoints together may take.
FULL = Preset(
    world=World(),
    drawn_world=replace(World(), object_weights=(0.45, 0.4, 0.1, 0.05), worn=0.1),
    size=128,
    latent_channels=16,
    vae_channels=(16, 32, 64, 128),
    unet_channels=(64, 128, 160),
    flow_width=192,
    flow_layers=6,
    clip_width=192,
    prompt_length=32,
    flow_prompt_length=24,
    judge_width=40,
    settings={
        "vae": TrainingSettings(steps=8000, batch_size=64, learning_rate=2e-3, warmup=200, ema=0.995, seed=21),
        "decoder": TrainingSettings(steps=2000, batch_size=64, learning_rate=1e-3, warmup=100, ema=0.99, seed=25),
        "clip": TrainingSettings(steps=3000, batch_size=256, learning_rate=1e-3, warmup=200, ema=0.995, seed=22),
        "unet": TrainingSettings(steps=20_000, batch_size=256, learning_rate=1e-3, warmup=500, ema=0.999, seed=23),
        "flow": TrainingSettings(
            steps=15_000,
            batch_size=256,
            learning_rate=1.5e-3,
            warmup=500,
            ema=0.999,
            seed=26,
            muon=MMDIT_MATRICES,
        ),
        "judge": TrainingSettings(steps=5000, batch_size=128, learning_rate=2e-3, warmup=200, ema=0.995, seed=24),
        "lora": TrainingSettings(
            steps=600, batch_size=8, learning_rate=1e-3, warmup=20, ema=0.98, seed=27, sheet_steps=200
        ),
        "turbo": TrainingSettings(
            steps=4000, batch_size=64, learning_rate=1e-3, warmup=50, ema=0.99, seed=28, sheet_steps=200
        ),
    },
)

PRESETS = {"small": SMALL, "full": FULL}
