"""How a difference of raw predictions becomes a difference of eps at each step of a scheduler."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from semguide.errors import UnsupportedPipeline

LEAST = 1e-4
"""Where a v model sees pure noise its eps difference vanishes; the scale is kept off zero: rules divide by it."""


def eps_scales(scheduler: Any, count: int, device: torch.device, start: int = 0) -> Sequence[Tensor | float]:
    """Return eps difference / raw difference for `count` steps of a scheduler whose timesteps are set.

    With x = alpha x0 + sigma eps: 1 for eps models, alpha for v (eps = alpha v + sigma x), -alpha / sigma for x0; with
    the preconditioning of EDM (arXiv 2206.00364, eq. 7), -c_out / sigma. With x = (1 - sigma) x0 + sigma eps, 1 - sigma
    for the flow velocity eps - x0 (eps = x + (1 - sigma) velocity).

    Args:
        scheduler: A diffusers scheduler.
        count: Number of steps.
        device: Where the scales will be used; they are moved there once.
        start: Index of the first step among the scheduler's timesteps.

    Raises:
        UnsupportedPipeline: The scheduler's prediction type is not known.
    """
    kind = scheduler.config.get("prediction_type", None)
    steps = slice(start, start + count)
    preconditioned = not hasattr(scheduler, "alphas_cumprod") and "sigma_data" in scheduler.config
    if is_flow(scheduler):
        table = 1 - scheduler.sigmas[steps].double().cpu()
    elif preconditioned and kind in ("epsilon", "v_prediction"):
        table = _preconditioned(scheduler, steps, kind)
    elif kind == "epsilon":
        return [1.0] * count
    elif kind in ("v_prediction", "sample") and hasattr(scheduler, "alphas_cumprod"):
        square = _alphas_cumprod(scheduler, steps)
        table = square.sqrt() if kind == "v_prediction" else -(square / (1 - square).clamp(min=LEAST**2)).sqrt()
    else:
        raise UnsupportedPipeline(
            f"scheduler {type(scheduler).__name__} with prediction_type {kind!r} cannot be steered; "
            "use one that predicts epsilon, v_prediction, sample or a flow velocity"
        )
    kept = torch.where(table < 0, table.clamp(max=-LEAST), table.clamp(min=LEAST))
    return kept.to(device=device, dtype=torch.float32).unbind()


def _alphas_cumprod(scheduler: Any, steps: slice) -> Tensor:
    """Return alpha^2 at the timesteps, which need not be whole numbers."""
    table = scheduler.alphas_cumprod.double().cpu()
    times = torch.as_tensor(scheduler.timesteps[steps]).double().cpu().clamp(0, len(table) - 1)
    below, above = times.floor().long(), times.ceil().long()
    return torch.lerp(table[below], table[above], times - below)


def _preconditioned(scheduler: Any, steps: slice, kind: str) -> Tensor:
    sigma, data = scheduler.sigmas[steps].double().cpu(), scheduler.config.sigma_data
    scale = data / (sigma**2 + data**2).sqrt()
    return -scale if kind == "epsilon" else scale


def eps_scale_of_time(
    scheduler: Any, device: torch.device, *, predicts_x0: bool = False
) -> Callable[[Tensor], Tensor | float]:
    """Return eps difference / raw difference as a function of the timestep, for hosts that name it at each step.

    Models of x = (1 - s) x0 + s eps (rectified flow, arXiv 2209.03003) predict v = eps - x0, so that at a fixed x
    a difference of eps is (1 - s) times the difference of v, and -(1 - s) / s times the difference of x0.

    Args:
        scheduler: A diffusers scheduler; None where it is not known, which counts as one of eps predictions.
        device: Where the timesteps will be; tables are moved there once.
        predicts_x0: Whether the host hands over x0 predictions whatever the model predicts (LTX-2).

    Raises:
        UnsupportedPipeline: The scheduler's prediction type is not known.
    """
    if scheduler is None:
        return lambda timestep: 1.0
    if is_flow(scheduler):
        steps = scheduler.config.num_train_timesteps
        return lambda timestep: flow_eps_scale(timestep.to(torch.float32) / steps, predicts_x0=predicts_x0)
    kind = scheduler.config.get("prediction_type", None)
    if kind == "epsilon":
        return lambda timestep: 1.0
    if kind != "v_prediction" or not hasattr(scheduler, "alphas_cumprod"):
        raise UnsupportedPipeline(
            f"scheduler {type(scheduler).__name__} with prediction_type {kind!r} cannot be steered; "
            "use one that predicts epsilon, v_prediction or flow"
        )
    table = scheduler.alphas_cumprod.sqrt().clamp(min=LEAST).to(device=device, dtype=torch.float32)
    return lambda timestep: _interpolated(table, timestep)


def is_flow(scheduler: Any) -> bool:
    """Say whether a scheduler is one of a rectified flow model, whose timesteps are s times the trained steps."""
    kind = scheduler.config.get("prediction_type", None)
    return kind == "flow_prediction" or (kind is None and "FlowMatch" in type(scheduler).__name__)


def flow_eps_scale(s: Tensor, *, predicts_x0: bool = False) -> Tensor:
    """Return eps difference / raw difference of a flow model at the noise level s in [0, 1], kept off zero."""
    scale = (1 - s).clamp(min=LEAST)
    return -scale / s.clamp(min=LEAST) if predicts_x0 else scale


def _interpolated(table: Tensor, timestep: Tensor) -> Tensor:
    """Return the table at a timestep, which need not be a whole number; without waiting for the device."""
    time = timestep.to(table).clamp(0, len(table) - 1).reshape(1)
    below, above = time.floor(), time.ceil()
    low, high = table.index_select(0, below.long()), table.index_select(0, above.long())
    return torch.lerp(low, high, time - below).squeeze(0)
