"""Latents and token ids of training scenes, encoded once and gone through several times."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from semguide_emoji.training.data import Batches
from semguide_emoji.training.text import tokenize
from semguide_emoji.training.vae import encode


class Pool:
    """Batches of latents and token ids.

    Pictures are encoded in pools; each pool is gone through several times, in a fresh order, before the next is drawn.
    Batch i is a function of the seed and i alone.

    Args:
        pipe: Holds autoencoder and tokenizer.
        batches: Pictures with captions.
        size: Batches in a pool.
        repeats: How often a pool is gone through.
    """

    def __init__(self, pipe: Any, batches: Batches, size: int, repeats: int) -> None:
        self.pipe, self.batches, self.size, self.repeats = pipe, batches, size, repeats
        self.empty = tokenize(pipe.tokenizer, [""], "cpu")  # ids of the empty caption, (1, length)
        self._block: int | None = None
        self._latents = self._ids = torch.empty(0)

    def __call__(self, index: int) -> tuple[Tensor, Tensor]:
        """Batch `index`: scaled latents (batch, channels, height / 8, width / 8) and token ids (batch, length)."""
        block, place = divmod(index, self.size * self.repeats)
        if block != self._block:
            self._encode(block)
        round_, turn = divmod(place, self.size)
        count = self.batches.batch_size
        order = np.random.default_rng((self.batches.seed, block, round_)).permutation(self.size * count)
        chosen = torch.from_numpy(order[turn * count : (turn + 1) * count]).to(self._latents.device)
        return self._latents[chosen], self._ids[chosen]

    @torch.no_grad()
    def _encode(self, block: int) -> None:
        latents: list[Tensor] = []
        ids: list[Tensor] = []
        device = self.pipe.vae.device
        for index in range(block * self.size, (block + 1) * self.size):
            pictures, captions = self.batches(index)
            mean = encode(self.pipe.vae, pictures.to(device))
            latents.append(mean.float() * self.pipe.vae.config["scaling_factor"])
            ids.append(tokenize(self.pipe.tokenizer, captions, device))
        self._latents, self._ids = torch.cat(latents), torch.cat(ids)
        self._block = block


def without_captions(ids: Tensor, empty: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Token ids in which a random share of the rows is the empty caption, for classifier-free guidance."""
    dropped = torch.rand((len(ids), 1), generator=generator, device=ids.device) < share
    return torch.where(dropped, empty.to(ids.device, non_blocking=True), ids)
