from pathlib import Path

import torch

from semguide_emoji.training.data import Batches
from semguide_emoji.training.parts import assembled
from semguide_emoji.training.pool import Pool
from semguide_emoji.training.text import tokenize
from semguide_emoji.training.vae import encode
from support.tiny_set import TINY


@torch.no_grad()
def test_every_picture_comes_once_a_round_with_its_own_caption(tiny_set: Path):
    pipe, batches = assembled(TINY, tiny_set), Batches(TINY.world, TINY.size, 3, seed=4)
    pictures, captions = zip(*(batches(index) for index in (2, 3)), strict=True)  # the second pool
    latents = encode(pipe.vae, torch.cat(pictures)) * pipe.vae.config["scaling_factor"]
    ids = tokenize(pipe.tokenizer, [text for batch in captions for text in batch], "cpu")
    pool = Pool(pipe, batches, size=2, repeats=2)
    orders: list[list[int]] = []
    for first in (4, 6):
        rows = [pool(index) for index in (first, first + 1)]
        seen, words = (torch.cat(part) for part in zip(*rows, strict=True))
        order = torch.cdist(seen.flatten(1), latents.flatten(1)).argmin(dim=1)
        torch.testing.assert_close(seen, latents[order], atol=1e-4, rtol=1e-4)
        assert torch.equal(words, ids[order])
        assert sorted(order.tolist()) == list(range(6))
        orders.append(order.tolist())
    assert orders[0] != orders[1]


def test_a_batch_does_not_depend_on_those_before_it(tiny_set: Path):
    pipe, batches = assembled(TINY, tiny_set), Batches(TINY.world, TINY.size, 2, seed=4)
    one, two = Pool(pipe, batches, 2, 2), Pool(pipe, batches, 2, 2)
    one(0)
    for index in (9, 5):
        assert all(torch.equal(a, b) for a, b in zip(one(index), two(index), strict=True))
