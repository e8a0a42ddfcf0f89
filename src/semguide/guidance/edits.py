"""More of this and less of that: the edits of SEGA (arXiv 2301.12247), on top of any rule.

With s_k = e(c_k) - e(0), T_q keeping the entries whose size is at or above the q-quantile of their channel, and v = 0
before the first step:

    psi_k = +- T_q(scale_k s_k),    + for more of c_k, - for less of it
    gamma = sum_k weight_k psi_k + s_m v,    v <- beta v + (1 - beta) gamma,    the sum over edits that have not ended

Once all edits have begun, gamma is added to the prediction; before that, the mean of the psi_k of those that have,
weighted with weight_k. That is the editing of diffusers' SemanticStableDiffusionPipeline, whose windows are numbers of
steps; the momentum is kept in eps space, where steps are comparable.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from semguide.concepts.edits import Edit, Edits
from semguide.errors import InvalidArgument
from semguide.guidance.geometry import ConceptSamples, Sample, top_quantile, upcast_half
from semguide.guidance.rule import Rule, Step
from semguide.guidance.window import Window


def needed_edits(edits: Edits, step: int, count: int) -> list[int]:
    """Return which edits are evaluated at a step (0-based) of `count`: those that act there, or in a later momentum."""
    windows = _windows(edits, count)
    remembered = _remembers(edits) and _all_begun(windows) < count
    return [k for k, window in enumerate(windows) if step <= window.last and (remembered or step >= window.first)]


def edits_act(edits: Edits, step: int, count: int) -> bool:
    """Say whether there is something to do for the edits at a step, if only to add what the momentum still has."""
    begun = _remembers(edits) and bool(edits) and _all_begun(_windows(edits, count)) <= step
    return begun or bool(needed_edits(edits, step, count))


def edit_evaluations(edits: Edits, count: int) -> int:
    """Return the denoiser evaluations that edits add to an image of `count` steps."""
    return sum(len(needed_edits(edits, step, count)) for step in range(count)) if edits else 0


def never_acting(edits: Edits, count: int) -> list[Edit]:
    """Return the edits whose windows hold none of `count` steps."""
    windows = zip(edits.each, _windows(edits, count), strict=True)
    return [edit for edit, window in windows if not window.ahead(0, count)]


def check_edits_beside(rule: Rule[Any]) -> None:
    """Check that edits can stand beside a rule: their guidance is counted from plain guidance's e(0), at every step.

    Raises:
        InvalidArgument: The rule has another one.
    """
    if rule.replaces_uncond:
        told = f"must not stand beside the method {rule.name}, whose e(0) is another one than plain guidance has"
        raise InvalidArgument("edits", told, remedy="take another {method}")
    if rule.uncond_every > 1:
        raise InvalidArgument("uncond_every", "must be 1 beside edits, which need e(0)", rule.uncond_every)


def correct_edits(
    edits: Edits, uncond: Sample, found: ConceptSamples, step: Step, momentum: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Return what the edits add to the guidance of one image, in float32 or better, and the next momentum v.

    Args:
        edits: The edits.
        uncond: e(0).
        found: e(c_k) of those that `needed_edits` names, in their order.
        step: The step.
        momentum: v, in eps space; None before the first step.
    """
    windows, base = _windows(edits, step.count), upcast_half(uncond)
    needed = needed_edits(edits, step.index, step.count)
    each = [edits.each[k] for k in needed]
    moved = [_moved(edit, upcast_half(pred) - base) for edit, pred in zip(each, found, strict=True)]
    gamma, following = with_momentum(_total(each, moved, base), step, momentum, edits)
    if step.index >= _all_begun(windows):
        return gamma, following
    begun = [i for i, k in enumerate(needed) if step.index >= windows[k].first]
    share = sum(each[i].weight for i in begun) or 1.0
    return _total([each[i] for i in begun], [moved[i] for i in begun], base) / share, following


def with_momentum(total: Tensor, step: Step, momentum: Tensor | None, scales: Any) -> tuple[Tensor, Tensor]:
    """Return gamma and the next v.

    Args:
        total: The sum over the edits.
        step: The step.
        momentum: v, in eps space; None before the first step.
        scales: What has `momentum_scale` and `momentum_beta`.
    """
    before = torch.zeros_like(total) if momentum is None else momentum
    gamma = total + scales.momentum_scale * before / step.eps_scale
    return gamma, scales.momentum_beta * before + (1 - scales.momentum_beta) * gamma * step.eps_scale


def _moved(edit: Edit, guidance: Tensor) -> Tensor:
    sign = 1.0 if edit.direction == "more" else -1.0
    return top_quantile(sign * edit.scale * guidance, edit.threshold)


def _total(edits: Sequence[Edit], moved: Sequence[Tensor], like: Tensor) -> Tensor:
    if not moved:
        return torch.zeros_like(like)
    return torch.stack([edit.weight * part for edit, part in zip(edits, moved, strict=True)]).sum(dim=0)


def _windows(edits: Edits, count: int) -> list[Window]:
    return [Window.fraction(edit.start, edit.stop, count) for edit in edits.each]


def _all_begun(windows: Sequence[Window]) -> int:
    """Return the first step at which all have begun."""
    return max((window.first for window in windows), default=0)


def _remembers(edits: Edits) -> bool:
    return edits.momentum_scale > 0 and edits.momentum_beta < 1
