"""Angles, projections and quantile masks of guidance, over the whole tensor of one sample.

All of them compute in float32 at least: squares of half-precision predictions overflow, and quantiles need the order.
Nothing here waits for the device.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor


def upcast_half(x: Tensor) -> Tensor:
    """Return `x` in float32 if it is in half precision, else unchanged."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


def inner(x: Sample, y: Sample) -> Scalar:
    """Return <x, y> over all dimensions, in float32 or better."""
    return (upcast_half(x) * upcast_half(y)).sum()


def norm(x: Sample) -> Scalar:
    """Return |x| over all dimensions, in float32 or better."""
    return inner(x, x).sqrt()


def dot_over_channels(x: Sample, y: Sample) -> Float[Tensor, " place"]:
    """Return <x, y> over the channels, of every place: (channels, height, width) or (tokens, channels) -> (place,)."""
    product = upcast_half(x) * upcast_half(y)
    return product.sum(dim=-1) if product.ndim == 2 else product.sum(dim=0).flatten()


def scale_over_channels(x: Sample, factor: Float[Tensor, " place"]) -> Sample:
    """Return x with every place times its factor; the inverse arrangement of `dot_over_channels`."""
    return x * (factor[:, None] if x.ndim == 2 else factor.reshape(x.shape[1:]))


def affinity(prompt: Sample, contrast: ConceptSamples) -> Float[Tensor, "concept place"]:
    """Return how much p leans at each place towards what sets each concept apart: <d_k(x), p(x)>, over its rms.

    Args:
        prompt: p.
        contrast: d_k = s_k - mean_j s_j.
    """
    lean = torch.stack([dot_over_channels(d, prompt) for d in contrast])
    return safe_divide(lean, lean.square().mean().sqrt())


def perpendicular(x: Sample, y: Sample) -> Sample:
    """Return the part of x that is orthogonal to y: x - (<x,y> / |y|^2) y (docs/method.md, perp).

    Args:
        x: The tensor to project.
        y: The direction to remove; where it is zero, nothing is removed.

    Returns:
        A tensor of x's shape and dtype.
    """
    share = safe_divide(inner(x, y), inner(y, y))
    return (upcast_half(x) - share * upcast_half(y)).to(x.dtype)


def cosine(x: Sample, y: Sample) -> Scalar:
    """Return <x,y> / (|x||y|), in [-1, 1] and 0 where x or y is zero, in float32 or better."""
    return safe_divide(inner(x, y), norm(x) * norm(y)).clamp(-1.0, 1.0)


def unit(x: Sample) -> Sample:
    """Return x / |x|, or zero where x is zero, in float32 or better."""
    wide = upcast_half(x)
    return safe_divide(wide, norm(wide))


def top_quantile(x: Sample, q: float | Scalar) -> Sample:
    """Keep the entries of x that are large in their channel: x where |x| >= its q-quantile, else 0 (T_q).

    The quantile is taken over the spatial positions of (channels, height, width), or over the tokens of
    (tokens, channels), with linear interpolation between neighbours, as torch.quantile does but for any size and dtype.

    Args:
        x: Guidance of one sample, two dimensions or more.
        q: Level in [0, 1]; 0 keeps everything. A number or a scalar tensor.

    Returns:
        A tensor of x's shape and dtype.
    """
    size = upcast_half(x).abs()
    rows = size.T if size.ndim == 2 else size.flatten(1)
    limit = _quantile(rows, q)
    shape = (1, -1) if size.ndim == 2 else (-1, *([1] * (size.ndim - 1)))
    return torch.where(size >= limit.reshape(shape), x, torch.zeros_like(x))


def mean_of_others(values: PerConcept) -> PerConcept:
    """Return for each concept the mean of the other concepts' values, at least two concepts."""
    return (values.sum() - values) / (len(values) - 1)


def least_squares(prompt: Sample, subjects: ConceptSamples, ridge: float = 1e-3) -> PerConcept:
    """Return the coefficients b (concept,) that minimise |p - sum_k b_k s_k|^2 + ridge mean_k |s_k|^2 |b|^2.

    Args:
        prompt: p.
        subjects: s_k, at least one.
        ridge: Keeps the answer finite where two concepts guide alike, > 0.
    """
    rows = subjects.flatten(1)
    gram = rows @ rows.T
    eye = torch.eye(len(rows), dtype=gram.dtype, device=gram.device)
    loaded = gram + (ridge * gram.diagonal().mean() + torch.finfo(gram.dtype).tiny) * eye
    solved: tuple[Tensor, Tensor] = cast(Any, torch.linalg).solve_ex(loaded, rows @ prompt.flatten())
    return solved[0]  # the other is the check of singularity, which would wait for the device


def _quantile(rows: Tensor, q: float | Tensor) -> Tensor:
    """Return the q-quantile of each row: (channel, position) -> (channel,)."""
    ordered = rows.sort(dim=1).values
    level = q.to(rows) if isinstance(q, Tensor) else rows.new_full((), q)  # filled there: a copy would wait
    rank = level.clamp(0.0, 1.0) * (rows.shape[1] - 1)
    below, above = rank.floor(), rank.ceil()
    low = ordered.index_select(1, below.long().reshape(1)).squeeze(1)
    high = ordered.index_select(1, above.long().reshape(1)).squeeze(1)
    return torch.lerp(low, high, rank - below)


def safe_divide(x: Tensor, y: Tensor) -> Tensor:
    """Return x / y, or 0 where y is 0, for y >= 0."""
    return torch.where(y > 0, x / torch.where(y > 0, y, torch.ones_like(y)), torch.zeros_like(x))


Sample = Float[Tensor, "*dims"]
"""One prediction, guidance or correction of one sample."""

ConceptSamples = Float[Tensor, "concept *dims"]
"""One sample per concept."""

PerConcept = Float[Tensor, " concept"]
"""One number per concept."""

Scalar = Float[Tensor, ""]
"""One number."""
