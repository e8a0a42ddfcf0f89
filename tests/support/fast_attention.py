"""Exact self-attention for heads of two channels, fast enough to run 64x64 latents in float64 on one core.

exp(q.k) = exp(q0 k0) exp(q1 k1), and exp(q0 k0) = sum_n q0^n k0^n / n!. So softmax attention over T tokens needs sums
over the tokens of products of powers, in the place of T^2 exponentials. The series is cut at a rest below 1e-14.
`test_fast_attention` compares it with torch's own attention.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

FEWEST_TOKENS = 256
LARGEST_LOGIT = 8.0


@contextmanager
def fast_attention() -> Iterator[None]:
    """Use the series wherever it applies: two channels, many tokens, float64, no mask, small logits."""
    exact = functional.scaled_dot_product_attention

    def attention(query: Tensor, key: Tensor, value: Tensor, *args: Any, **options: Any) -> Tensor:
        plain = not args and options.get("attn_mask") is None and not options.get("is_causal")
        if plain and query.dtype == torch.float64 and key.shape[-1] == 2 and key.shape[-2] >= FEWEST_TOKENS:
            centred = key - key.mean(dim=-2, keepdim=True)  # softmax does not see a shift of all keys
            largest = (_extent(query) * _extent(centred)).max().item() / math.sqrt(2)
            if largest <= LARGEST_LOGIT:
                return series_attention(query / math.sqrt(2), centred, value, degree(largest))
        return exact(query, key, value, *args, **options)

    functional.scaled_dot_product_attention = attention
    try:
        yield
    finally:
        functional.scaled_dot_product_attention = exact


def _extent(x: Tensor) -> Tensor:
    """Return the largest size of each channel."""
    return x.abs().flatten(0, -2).amax(dim=0)


def degree(largest: float) -> int:
    """Return where the series of exp can be cut: its rest is below 1e-14 of the smallest value, exp(-largest)."""
    n, term = 0, 1.0
    while term > 1e-14 * math.exp(-largest) or n < largest:
        n += 1
        term *= largest / n
    return n


def series_attention(query: Tensor, key: Tensor, value: Tensor, last: int) -> Tensor:
    """Return softmax(query key^T) value, all (..., token, channel); query and key have two channels."""
    queries, keys, values = (x.flatten(0, -3) for x in (query, key, value))
    heads = zip(queries, keys, values, strict=True)  # one by one: the powers of one head fit in the cache
    return torch.stack([_one_head(q, k, v, last) for q, k, v in heads]).reshape(value.shape)


def _one_head(query: Tensor, key: Tensor, value: Tensor, last: int) -> Tensor:
    (query_0, query_1), (key_0, key_1) = powers(query, last), powers(key, last)
    sums: list[Tensor] = []
    for channel in (*value.unbind(-1), torch.ones_like(value[..., 0])):
        moments = key_0 @ (key_1 * channel.unsqueeze(-2)).transpose(-1, -2)
        sums.append((query_0 * (moments @ query_1)).sum(dim=-2))
    return torch.stack(sums[:-1], dim=-1) / sums[-1].unsqueeze(-1)


def powers(x: Tensor, last: int) -> list[Tensor]:
    """Return x^n / sqrt(n!) for n = 0 ... last of each channel: (..., n, token)."""
    channels: list[Tensor] = []
    for channel in x.unbind(-1):
        terms = [torch.ones_like(channel)]
        for n in range(1, last + 1):
            terms.append(terms[-1] * channel / math.sqrt(n))
        channels.append(torch.stack(terms, dim=-2))
    return channels
