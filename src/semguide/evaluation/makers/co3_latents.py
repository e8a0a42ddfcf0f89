"""The two ways in which CO3 makes new latents at a noise level (arXiv 2509.25940): pure functions of one sample.

A Tweedie mean is x - sigma e, which is the clean image times its weight in x. The composition of weights that sum to 1
is one again; that of weights that sum to 0 is noise only.
"""

from __future__ import annotations

import torch
from torch import Tensor

from semguide.guidance import Predictions
from semguide.guidance.geometry import norm, upcast_half
from semguide.guidance.rules.co3 import closeness_shares


def concept_shares(predictions: Predictions, closeness: float) -> Tensor:
    """Return the share a_k of each concept, which sum to 1.

    Args:
        predictions: In eps.
        closeness: How much more the concept nearest to the prompt's prediction weighs, >= 0.
    """
    prompt = upcast_half(predictions.cond)
    distance = torch.stack([norm(upcast_half(concept) - prompt) for concept in predictions.concepts])
    return closeness_shares(distance, closeness)


def resampled(predictions: Predictions, sigma: Tensor, share: Tensor, scale: float) -> Tensor:
    """Return sigma (e(0) - scale (e(P) - sum_k a_k e(c_k))): new noise, with weights that sum to 0.

    Args:
        predictions: In eps.
        sigma: Weight of the noise in x.
        share: a, one per concept.
        scale: Weight of the composition (0 leaves sigma e(0)).
    """
    contrast = upcast_half(predictions.cond) - _mean(predictions, share)
    return sigma * (upcast_half(predictions.uncond) - scale * contrast)


def corrected(
    x: Tensor, predictions: Predictions, sigma: Tensor, weights: tuple[float, Tensor], scale: float
) -> Tensor:
    """Return the composed Tweedie mean with the noise e(0) put on again, in the size of x.

    With the guided predictions e_s(c) = e(0) + scale (e(c) - e(0)) and the means m(c) = x - sigma e_s(c), that is
    M = (1 + contrast) m(P) - contrast sum_k a_k m(c_k); then M max(m(P)) / max(M) + sigma e(0), with the norm of x.

    Args:
        x: The latents.
        predictions: In eps.
        sigma: Weight of the noise in x.
        weights: contrast, and the share a of each concept.
        scale: The scale of the guided predictions (0 leaves x to rounding).
    """
    contrast, share = weights
    uncond = upcast_half(predictions.uncond)
    prompt = x - sigma * (uncond + scale * predictions.prompt_guidance)
    subjects = x - sigma * (uncond + scale * (_mean(predictions, share) - uncond))
    mean = prompt + contrast * (prompt - subjects)
    size = torch.nan_to_num(prompt.max() / mean.max(), nan=1.0)  # of pure noise a flow model has no mean but 0
    moved = mean * size + sigma * uncond
    return moved * (norm(x) / norm(moved))


def _mean(predictions: Predictions, share: Tensor) -> Tensor:
    """Return sum_k a_k e(c_k)."""
    concepts = upcast_half(predictions.concepts)
    return (share.to(concepts).reshape(-1, *[1] * (concepts.ndim - 1)) * concepts).sum(dim=0)
