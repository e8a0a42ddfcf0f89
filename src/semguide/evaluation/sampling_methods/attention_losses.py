"""Losses of attention maps: how far the words of a prompt are from where their concepts need them.

A map is the attention of the places of an image to the tokens of a prompt, "height width token"; words are given by
the indices of their tokens, whose attention is added.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

Tokens = Sequence[int]
"""Indices of the tokens of a word."""

_LEAST = 1e-12
"""What a share is at least, so that it has a logarithm."""


def attend_excite_loss(maps: Tensor, nouns: Sequence[Tokens], among: Tokens, shared: bool = False) -> Tensor:
    """Return max_k (1 - max A_k) of Attend-and-Excite (arXiv 2301.13826), in [0, 1].

    A_k is the smoothed share of the k-th noun in softmax(100 A) over some tokens: all but the first and the last.

    Args:
        maps: "height width token".
        nouns: The nouns, one or more.
        among: The tokens.
        shared: Whether A is divided by its sum over these tokens before, as of joint attention a part is the image's.
    """
    kept = maps[..., list(among)]
    kept = kept / kept.sum(dim=-1, keepdim=True) if shared else kept
    at = {index: place for place, index in enumerate(among)}
    shares = (100 * kept).softmax(dim=-1)
    of_nouns = torch.stack([shares[..., [at[index] for index in noun]].sum(dim=-1) for noun in nouns])
    return (1 - smoothed(of_nouns, math.sqrt(0.5)).amax(dim=(1, 2))).clamp(min=0).amax()


def syngen_loss(maps: Tensor, subjects: Sequence[Sequence[Tokens]], others: Sequence[Sequence[Tokens]]) -> Tensor:
    """Return the loss of SynGen (arXiv 2306.08877): modifiers at their noun, both away from all other words.

        sum_k sum_m D(A_m, A_n) - sum_k 1/|U_k| sum_u sum_m (D(A_m, A_u) + D(A_n, A_u)) / 2

    with D the mean of both Kullback-Leibler divergences of the maps, each as shares of its sum, n the noun, m its
    modifiers and U_k the other words. A noun without modifiers counts with D(A_n, A_u) alone, which the paper has not.

    Args:
        maps: "height width token".
        subjects: Of each concept its words, the noun last.
        others: Of each concept all other words of the prompt.
    """
    loss = maps.new_zeros(())
    for words, rest in zip(subjects, others, strict=True):
        shares = distributions(maps, words)
        modifiers, noun = shares[:-1], shares[-1]
        loss = loss + divergence(modifiers, noun).sum()
        if rest:
            apart = torch.stack([divergence(shares, other) for other in distributions(maps, rest)])  # other, word
            pairs = (apart[:, :-1] + apart[:, -1:]) / 2 if len(words) > 1 else apart
            loss = loss - pairs.sum() / len(rest)
    return loss


def focus_loss(maps: Tensor, subjects: Sequence[Sequence[Tokens]]) -> Tensor:
    """Return the loss of FOCUS (arXiv 2510.02315), in [0, 1]: the words of a subject at one place, subjects apart.

        (mean_k JSD(Q_kj over the words j) + 1 - JSD(mean_j Q_kj over the subjects k)) / 2

    Q is the smoothed map of a word, cubed, as shares of its sum; the divergence is in its own greatest, log n.

    Args:
        maps: "height width token".
        subjects: Of each subject its words; two subjects or more.
    """
    shares = [distributions(maps, words, sharpened=True) for words in subjects]
    within = torch.stack([jensen_shannon(words) for words in shares]).mean()
    between = jensen_shannon(torch.stack([words.mean(dim=0) for words in shares]))
    return (within + 1 - between) / 2


def distributions(maps: Tensor, words: Sequence[Tokens], sharpened: bool = False) -> Tensor:
    """Return the attention to words as shares of its sum over the places, "word place".

    Args:
        maps: "height width token".
        words: The words.
        sharpened: Whether the maps are smoothed and cubed before.
    """
    summed = torch.stack([maps[..., list(tokens)].sum(dim=-1) for tokens in words])
    raised = smoothed(summed, 1.0) ** 3 if sharpened else summed
    flat = raised.flatten(1)
    return (flat / flat.sum(dim=1, keepdim=True)).clamp(min=_LEAST)


def divergence(one: Tensor, other: Tensor) -> Tensor:
    """Return the mean of both Kullback-Leibler divergences of distributions over the last dimension."""
    return ((one - other) * (one.log() - other.log())).sum(dim=-1) / 2


def jensen_shannon(shares: Tensor) -> Tensor:
    """Return the Jensen-Shannon divergence of n distributions "n place" in units of log n; 0 for one alone."""
    if len(shares) == 1:
        return shares.new_zeros(())
    return (_entropy(shares.mean(dim=0)) - _entropy(shares).mean()) / math.log(len(shares))


def _entropy(shares: Tensor) -> Tensor:
    return -(shares * shares.log()).sum(dim=-1)


def smoothed(maps: Tensor, sigma: float) -> Tensor:
    """Return maps "map height width" after a Gaussian of 3 x 3 places, mirrored at the edges.

    Args:
        maps: The maps, of at least 2 x 2 places.
        sigma: Standard deviation in places.
    """
    beside = math.exp(-1 / (2 * sigma**2))
    row = torch.tensor([beside, 1.0, beside], dtype=maps.dtype, device=maps.device) / (1 + 2 * beside)
    padded = F.pad(maps[:, None], (1, 1, 1, 1), mode="reflect")
    return F.conv2d(padded, torch.outer(row, row)[None, None])[:, 0]
