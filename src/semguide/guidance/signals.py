"""What the predictions of one step say about each concept: the candidates for a gate and for a detector.

Every signal is one number per concept, computed from the guidance p of the prompt and s_k of the concepts alone. All
are the same for eps, v, flow and x0 models, and all but the sizes in eps space are free of units.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from semguide.guidance.geometry import (
    PerConcept,
    Scalar,
    affinity,
    cosine,
    dot_over_channels,
    least_squares,
    mean_of_others,
    norm,
    safe_divide,
    scale_over_channels,
    top_quantile,
)
from semguide.guidance.rule import Predictions, Step

Signal = Callable[[Predictions, Step], PerConcept]

QUANTILE = 0.9
"""Level of the masks, as in `SGTv2`."""


def signed_cosine(predictions: Predictions, step: Step) -> Tensor:
    """Return cos(p, s_k)."""
    del step
    return predictions.similarity


def absolute_cosine(predictions: Predictions, step: Step) -> Tensor:
    """Return |cos(p, s_k)|, the published similarity of `SGTv1`."""
    return signed_cosine(predictions, step).abs()


def masked_cosine(predictions: Predictions, step: Step) -> Tensor:
    """Return |cos(p, T_q(s_k))|, the published similarity of `SGTv2`."""
    del step
    prompt = predictions.prompt_guidance
    return torch.stack([cosine(prompt, top_quantile(s, QUANTILE)).abs() for s in predictions.concept_guidance])


def regional_cosine(predictions: Predictions, step: Step) -> Tensor:
    """Return cos(p, s_k) over the quarter of the positions at which s_k is largest."""
    del step
    prompt = predictions.prompt_guidance
    return torch.stack([_regional(prompt, s) for s in predictions.concept_guidance])


def _regional(prompt: Tensor, subject: Tensor) -> Tensor:
    """Return the cosine over the quarter of the places, one at least, at which the subject is largest."""
    size = dot_over_channels(subject, subject)
    there = (size >= size.sort().values[size.numel() - max(1, size.numel() // 4)]).to(size)
    return cosine(scale_over_channels(prompt, there), scale_over_channels(subject, there))


def relative_cosine(predictions: Predictions, step: Step) -> Tensor:
    """Return cos(p, s_k) less the mean of the other concepts' (of itself where it is alone: 0)."""
    values = signed_cosine(predictions, step)
    return values - (mean_of_others(values) if len(values) > 1 else values)


def coefficient(predictions: Predictions, step: Step) -> Tensor:
    """Return b_k of the least-squares fit p = sum_k b_k s_k: how much of each concept's guidance is in the prompt's.

    1 where the prompt guides towards a concept as the concept alone would; what concepts have in common is not counted
    twice, as it is in the cosines.
    """
    del step
    return least_squares(predictions.prompt_guidance, predictions.concept_guidance)


def crowding(predictions: Predictions, step: Step) -> Tensor:
    """Return the greatest cos(s_k, s_j) with another concept (0 where it is alone)."""
    del step
    subjects = predictions.concept_guidance
    values = torch.stack([torch.stack([cosine(a, b) for b in subjects]) for a in subjects])
    if len(subjects) == 1:
        return torch.zeros_like(values[0])
    values.fill_diagonal_(-1.0)
    return values.max(dim=1).values


def distance(predictions: Predictions, step: Step) -> Tensor:
    """Return |p - s_k| in eps space."""
    prompt = predictions.prompt_guidance
    return torch.stack([norm(prompt - s) for s in predictions.concept_guidance]) * abs(step.eps_scale)


def relative_distance(predictions: Predictions, step: Step) -> Tensor:
    """Return log(|p - s_k| / |p|): 0 where the prompt guides nowhere near the concept, below it where it does."""
    del step
    prompt = predictions.prompt_guidance
    return _log_lengths([prompt - s for s in predictions.concept_guidance], prompt)


def prominence(predictions: Predictions, step: Step) -> Tensor:
    """Return how much p leans to what sets the concept apart, over the eighth of the places where it does most.

    With d_k = s_k - mean_j s_j and a_k(x) = <d_k(x), p(x)> / rms as in `BalancedSGT`; 0 for a concept alone.
    """
    del step
    prompt, subjects = predictions.prompt_guidance, predictions.concept_guidance
    leaning = affinity(prompt, subjects - subjects.mean(dim=0)).sort(dim=1, descending=True).values
    return leaning[:, : max(1, leaning.shape[1] // 8)].mean(dim=1)


def overlap(predictions: Predictions, step: Step) -> Tensor:
    """Return how far the guidance of the concept lies where another one's does, from 0 to 1; 0 where it is alone.

    The Bhattacharyya coefficient of |s_k(x)|^2 and |s_j(x)|^2, both as shares of their sums; the greatest over j.
    """
    del step
    return _greatest_overlap([dot_over_channels(s, s) for s in predictions.concept_guidance])


def agreement_overlap(predictions: Predictions, step: Step) -> Tensor:
    """Return `overlap` of the places where p leans to the concepts: of the positive part of <s_k(x), p(x)>."""
    del step
    prompt = predictions.prompt_guidance
    return _greatest_overlap([dot_over_channels(s, prompt).clamp_min(0) for s in predictions.concept_guidance])


def separation(predictions: Predictions, step: Step) -> Tensor:
    """Return how far the centre of the concept's places is from the nearest other one's; 0 where it is alone.

    The centre of the positive part of <d_k(x), p(x)> over rows and columns, either running from -1 to 1. NaN where the
    latents are packed into a sequence of tokens, whose rows and columns are not known here.
    """
    del step
    prompt, subjects = predictions.prompt_guidance, predictions.concept_guidance
    if prompt.ndim < 3:
        return torch.full_like(subjects[:, 0, 0], torch.nan)
    leaning = ((subjects - subjects.mean(dim=0)) * prompt).sum(dim=1).clamp_min(0)
    leaning = leaning.reshape(len(leaning), -1, *leaning.shape[-2:]).sum(dim=1)  # over the frames of a video
    centres = torch.stack([_centre(leaning.sum(dim=other)) for other in (2, 1)], dim=1)
    apart = (centres[:, None] - centres).square().sum(dim=2).sqrt()
    if len(apart) == 1:
        return apart[0]
    apart.fill_diagonal_(torch.inf)
    return apart.min(dim=1).values


def _centre(sizes: Tensor) -> Tensor:
    """Return the centre of sizes along a line from -1 to 1, (rows,) of (rows, places); 0 where all are 0."""
    line = torch.linspace(-1.0, 1.0, sizes.shape[1], device=sizes.device, dtype=sizes.dtype)
    return safe_divide((sizes * line).sum(dim=1), sizes.sum(dim=1))


def _greatest_overlap(sizes: Sequence[Tensor]) -> Tensor:
    """Return the greatest Bhattacharyya coefficient of each row of places with another row."""
    roots = torch.stack([safe_divide(size, size.sum()).sqrt() for size in sizes])
    if len(roots) == 1:
        return torch.zeros_like(roots[:, 0])
    found = roots @ roots.T
    found.fill_diagonal_(-1.0)
    return found.max(dim=1).values


def magnitude(predictions: Predictions, step: Step) -> Tensor:
    """Return |s_k| in eps space."""
    return torch.stack([norm(s) for s in predictions.concept_guidance]) * abs(step.eps_scale)


def relative_magnitude(predictions: Predictions, step: Step) -> Tensor:
    """Return log(|s_k| / |p|): how much further the concept alone guides than the prompt does."""
    del step
    return _log_lengths(list(predictions.concept_guidance), predictions.prompt_guidance)


def _log_lengths(vectors: Sequence[Tensor], unit: Tensor) -> Tensor:
    """Return the logarithms of the lengths of vectors, in that of another one."""
    size = norm(unit)
    ratio = torch.stack([safe_divide(norm(vector), size) for vector in vectors])
    return ratio.clamp_min(torch.finfo(ratio.dtype).tiny).log()


def prompt_energy(predictions: Predictions, step: Step) -> Scalar:
    """Return |p|^2 in eps space, which needs no concepts."""
    return norm(predictions.prompt_guidance).square() * step.eps_scale**2


def guidance_energy(predictions: Predictions, step: Step) -> Tensor:
    """Return |p|^2 in eps space, the same for all concepts: the summand of ASD (arXiv 2505.23343)."""
    return prompt_energy(predictions, step).expand(len(predictions.concepts))


#: Signal name -> function.
SIGNALS: Mapping[str, Signal] = {
    function.__name__: function
    for function in (
        signed_cosine,
        absolute_cosine,
        masked_cosine,
        regional_cosine,
        relative_cosine,
        coefficient,
        crowding,
        distance,
        relative_distance,
        prominence,
        overlap,
        agreement_overlap,
        separation,
        magnitude,
        relative_magnitude,
        guidance_energy,
    )
}
