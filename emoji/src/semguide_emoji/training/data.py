"""Training batches, made on the fly.

Batch i is a function of the seed and i alone, so a run can stop and go on anywhere.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from semguide_emoji.scenes import CaptionNoise, Scene, World, caption, render
from semguide_emoji.training.compositor import Compositor
from semguide_emoji.training.workers import Workers


def pixels(scenes: list[Scene], size: int) -> Tensor:
    """Render scenes: (batch, 3, size, size) in [-1, 1], channels last in memory."""
    stack = np.stack([render(scene, size) for scene in scenes])
    return (torch.from_numpy(stack) * 2.0 - 1.0).permute(0, 3, 1, 2)


@dataclass(frozen=True)
class Batches:
    """A stream of rendered scenes with captions.

    Attributes:
        world: What scenes are drawn from.
        size: Side of the pictures, pixels.
        batch_size: Scenes a batch.
        seed: Of the whole stream.
        noise: Of the captions.
        draw: Makes the pictures of some scenes, of a size.
        workers: Who makes up scenes and captions; None: this process.
    """

    world: World
    size: int
    batch_size: int
    seed: int = 0
    noise: CaptionNoise = field(default_factory=CaptionNoise)
    draw: Callable[[list[Scene], int], Tensor] = pixels
    workers: Workers | None = None

    def scenes(self, index: int) -> tuple[list[Scene], list[str]]:
        """Batch `index`: scenes and their captions."""
        if self.workers is not None:
            return self.workers(replace(self, draw=pixels, workers=None).scenes, index)
        rng = np.random.default_rng((self.seed, index))
        scenes = [self.world.scene(rng) for _ in range(self.batch_size)]
        return scenes, [caption(scene, rng, self.noise) for scene in scenes]

    def pictures(self, scenes: list[Scene]) -> Tensor:
        """Draw scenes: (count, 3, size, size) in [-1, 1]."""
        return self.draw(scenes, self.size)

    def __call__(self, index: int) -> tuple[Tensor, list[str]]:
        """Batch `index`: pictures (batch, 3, size, size) in [-1, 1], and captions."""
        scenes, captions = self.scenes(index)
        return self.pictures(scenes), captions


def batches_for(device: str, world: World, size: int, batch_size: int, seed: int) -> Batches:
    """Batches as fast as a device asks for them: composed there, with captions from other processes, but for a CPU."""
    batches = Batches(world, size, batch_size, seed)
    if device == "cpu":
        return batches
    processes = min(12, max(1, (os.cpu_count() or 2) - 2))
    return replace(batches, draw=Compositor(world, size, device), workers=Workers(processes))
