"""Store image features in few bytes, and compute statistics of many; NumPy only."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semguide.errors import InvalidArgument

Features = NDArray[np.float64]
"""(images, width)."""


def pack(feature: ArrayLike) -> str:
    """Write a vector as base64 of little-endian half precision."""
    return base64.b64encode(np.asarray(feature, dtype="<f2").tobytes()).decode("ascii")


def unpack(texts: Sequence[str]) -> Features:
    """Read vectors of one width that `pack` wrote: (vectors, width)."""
    return np.stack([np.frombuffer(base64.b64decode(text), dtype="<f2") for text in texts]).astype(np.float64)


def diversity(features: Features) -> float:
    """Return the mean of 1 - cosine over all pairs of different images.

    Args:
        features: (images, width) of one prompt's images, at least two.

    Returns:
        0 (all alike) to 2.

    Raises:
        InvalidArgument: There are fewer than two.
    """
    count = len(features)
    if count < 2:
        raise InvalidArgument("features", "must be of at least 2 images to differ from each other", count)
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    cosines = unit @ unit.T
    return float(1.0 - (cosines.sum() - np.trace(cosines)) / (count * (count - 1)))


def frechet_distance(features: Features, reference: Features) -> float:
    """Return the Fréchet distance of two sets, each taken as a Gaussian (FID, arXiv 1706.08500, eq. 6).

    It falls as sets grow: compare only distances of equally many images to the same reference.

    Args:
        features: (images, width), at least two images.
        reference: (images, width), at least two images.

    Returns:
        |m - m'|^2 + tr(S + S' - 2 (S S')^(1/2)), at least 0.

    Raises:
        InvalidArgument: A set has fewer than two images.
    """
    for name, given in (("features", features), ("reference", reference)):
        if len(given) < 2:
            raise InvalidArgument(name, "must be of at least 2 images to have a covariance", len(given))
    first, second = _covariance(features), _covariance(reference)
    root = _square_root(first)
    mixed = np.linalg.eigvalsh(root @ second @ root).clip(min=0.0)  # those of first @ second
    apart = features.mean(axis=0) - reference.mean(axis=0)
    return max(0.0, float(apart @ apart + np.trace(first) + np.trace(second) - 2.0 * np.sqrt(mixed).sum()))


def _covariance(features: Features) -> Features:
    centred = features - features.mean(axis=0)
    return np.asarray(centred.T @ centred / (len(features) - 1), dtype=np.float64)


def _square_root(covariance: Features) -> Features:
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0.0))) @ np.transpose(vectors), dtype=np.float64)
