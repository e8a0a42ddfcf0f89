"""Recipe of emoji-judge: a detector trained on rendered scenes only, never on generated pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from semguide_emoji.judge import COLOUR_CLASSES, Judge
from semguide_emoji.scenes import Scene
from semguide_emoji.scenes.scene import GRID
from semguide_emoji.training.crowd import crowded
from semguide_emoji.training.data import Batches
from semguide_emoji.training.vae import encode


class JudgeRecipe:
    """Focal loss on centres, cross-entropy on colour and L1 on side at the centres.

    What a model does to a drawing must not put the judge off: scenes are `crowded`, half of the pictures go through the
    autoencoder with noise on their latents, then all are blurred, shifted in tone and made noisy at random.

    Args:
        judge: The network.
        batches: Scenes.
        vae: The autoencoder of the checkpoints that are to be judged, or None.
    """

    def __init__(self, judge: Judge, batches: Batches, vae: Any = None) -> None:
        self.model = judge.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.batches = batches
        self.vae = None if vae is None else vae.to(judge.head.weight.device).requires_grad_(False).eval()

    def loss(self, index: int, generator: torch.Generator) -> Tensor:
        """Loss of batch `index`."""
        rng = np.random.default_rng((self.batches.seed, index, 1))
        scenes = [crowded(scene, self.batches.world, rng) for scene in self.batches.scenes(index)[0]]
        device = self.model.head.weight.device
        pictures = disturbed(self._decoded(self.batches.pictures(scenes).to(device), generator), generator)
        centres, colours, side = self.model(pictures)
        target, where = _targets(scenes, self.model.config.nouns, centres.shape[-1])
        batch, y, x, colour = where[:, :4].long().to(device).unbind(dim=1)
        colour_loss = F.cross_entropy(colours[batch, :, y, x], colour)
        side_loss = (side[batch, y, x] - where[:, 4].to(device)).abs().mean()
        return _focal(centres, target.to(device)) / len(where) + colour_loss + side_loss

    @torch.no_grad()
    def _decoded(self, pictures: Tensor, generator: torch.Generator) -> Tensor:
        """Pictures of which every other one is decoded from its latents, with noise of up to half their deviation."""
        if self.vae is None:
            return pictures
        pictures = pictures.clone()
        latents = encode(self.vae, pictures[::2])
        noise = torch.randn(latents.shape, generator=generator, device=latents.device) * latents.std()
        strength = torch.rand((len(latents), 1, 1, 1), generator=generator, device=latents.device) / 2
        decoded = self.vae.decode(latents + strength * noise).sample
        pictures[::2] = decoded.clamp(-1, 1).to(pictures.dtype)
        return pictures

    def sheet(self, path: Path) -> None:
        """Write nothing; `semguide_emoji.evaluation.detections` measures the judge."""


def disturbed(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """Blur, tone and noise, of random strength per picture: (batch, 3, height, width) in [-1, 1]."""
    device = pictures.device
    strength = torch.rand((len(pictures), 3, 1, 1, 1), generator=generator, device=device)
    soft = F.avg_pool2d(F.pad(pictures, (1, 1, 1, 1), mode="replicate"), 3, 1)
    pictures = torch.lerp(pictures, soft, strength[:, 0])
    tone = 1.0 + 0.2 * (torch.rand((len(pictures), 3, 1, 1), generator=generator, device=device) - 0.5)
    noise = torch.randn(pictures.shape, generator=generator, device=device) * 0.08 * strength[:, 1]
    return (pictures * tone + noise).clamp(-1, 1).contiguous(memory_format=torch.channels_last)


def _focal(logits: Tensor, target: Tensor) -> Tensor:
    """CenterNet's focal loss, summed: equation 1 of arXiv 1904.07850 with alpha 2, beta 4."""
    p = logits.sigmoid().clamp(1e-4, 1 - 1e-4)
    hit = (target == 1).float()
    right = hit * (1 - p) ** 2 * p.log()
    wrong = (1 - hit) * (1 - target) ** 4 * p**2 * (1 - p).log()
    return -(right + wrong).sum()


def _targets(scenes: list[Scene], nouns: tuple[str, ...], cells: int) -> tuple[Tensor, Tensor]:
    """Centre maps (batch, noun, cells, cells), and (object, 5): scene, row, column, colour, side of each object."""
    maps = torch.zeros(len(scenes), len(nouns), cells, cells)
    grid = torch.arange(cells, dtype=torch.float32)
    rows: list[tuple[float, ...]] = []
    for index, scene in enumerate(scenes):
        for thing in scene.objects:
            x, y = (min(cells - 1, int(value / GRID * cells)) for value in thing.centre)
            noun = nouns.index(thing.noun)
            spread = max(0.6, thing.size / GRID * cells / 8)
            bump = torch.exp(-((grid[None] - x) ** 2 + (grid[:, None] - y) ** 2) / (2 * spread**2))
            maps[index, noun] = torch.maximum(maps[index, noun], bump)
            colour = COLOUR_CLASSES.index(thing.colour or "natural")
            rows.append((index, y, x, colour, thing.size / GRID))
    return maps, torch.tensor(rows)
