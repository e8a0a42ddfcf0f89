"""Training batches, made on the fly.

Batch i is a function of the seed and i alone, so a run can stop and go on anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from semguide.scenes import CaptionNoise, Scene, World, caption, render


@dataclass(frozen=True)
class Batches:
    """A stream of rendered scenes with captions.

    Attributes:
        world: What scenes are drawn from.
        size: Side of the pictures, pixels.
        batch_size: Scenes a batch.
        seed: Of the whole stream.
        noise: Of the captions.
    """

    world: World
    size: int
    batch_size: int
    seed: int = 0
    noise: CaptionNoise = field(default_factory=CaptionNoise)

    def scenes(self, index: int) -> tuple[list[Scene], list[str]]:
        """Batch `index`: scenes and their captions."""
        rng = np.random.default_rng((self.seed, index))
        scenes = [self.world.scene(rng) for _ in range(self.batch_size)]
        return scenes, [caption(scene, rng, self.noise) for scene in scenes]

    def __call__(self, index: int) -> tuple[Tensor, list[str]]:
        """Batch `index`: pictures (batch, 3, size, size) in [-1, 1], and captions."""
        scenes, captions = self.scenes(index)
        return self.pictures(scenes), captions

    def pictures(self, scenes: list[Scene]) -> Tensor:
        """Draw scenes: (count, 3, size, size) in [-1, 1]."""
        return pixels(scenes, self.size)


def pixels(scenes: list[Scene], size: int) -> Tensor:
    """Render scenes: (batch, 3, size, size) in [-1, 1], channels last in memory."""
    stack = np.stack([render(scene, size) for scene in scenes])
    return (torch.from_numpy(stack) * 2.0 - 1.0).permute(0, 3, 1, 2)
