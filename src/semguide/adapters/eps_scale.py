"""How a difference of raw predictions becomes a difference of eps at each step of a scheduler."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from semguide.errors import UnsupportedPipeline

MIN_SCALE = 1e-4
"""Where a v model sees pure noise its eps difference vanishes; the scale is kept off zero: rules divide by it."""


def eps_scales(
    scheduler: Any, count: int, device: torch.device, start: int = 0, *, predicts_x0: bool = False
) -> Sequence[Tensor | float]:
    """Return eps difference / raw difference for `count` steps of a scheduler whose timesteps are set.

    With x = alpha x0 + sigma eps: 1 for eps models, alpha for v (eps = alpha v + sigma x), -alpha / sigma for x0; with
    the preconditioning of EDM (arXiv 2206.00364, eq. 7), -c_out / sigma. With x = (1 - sigma) x0 + sigma eps, 1 - sigma
    for the flow velocity eps - x0 (eps = x + (1 - sigma) velocity), -(1 - sigma) / sigma for x0.

    Args:
        scheduler: A diffusers scheduler.
        count: Number of steps.
        device: Where the scales will be used; they are moved there once.
        start: Index of the first step among the scheduler's timesteps.
        predicts_x0: Whether the pipeline turns the velocities of a flow model into x0 before it guides (LTX-2).

    Raises:
        UnsupportedPipeline: The scheduler's prediction type is not known.
    """
    kind = scheduler.config.get("prediction_type", None)
    steps = slice(start, start + count)
    preconditioned = not hasattr(scheduler, "alphas_cumprod") and "sigma_data" in scheduler.config
    if is_flow(scheduler):
        sigma = _flow_sigmas(scheduler)[steps].cpu().double()
        if scheduler.config.get("sigma_data", None) is not None:  # x = x0 + sigma eps, seen as x / (1 + sigma) (Cosmos)
            table = 1 / (1 + sigma)
        elif scheduler.config.get("invert_sigmas", False):  # sigma is the share of x0, the velocity x0 - eps
            table = -sigma
        else:
            table = -(1 - sigma) / sigma.clamp(min=MIN_SCALE) if predicts_x0 else 1 - sigma
    elif kind == "trigflow":  # x = cos t x0 + sin t eps, and the denoiser sees x / (cos t + sin t) (Sana Sprint)
        t = scheduler.timesteps[steps].cpu().double()
        table = t.cos() / (t.cos() + t.sin())
    elif preconditioned and kind in ("epsilon", "v_prediction"):
        table = _preconditioned(scheduler, steps, kind)
    elif kind == "epsilon":
        return [1.0] * count
    elif kind in ("v_prediction", "sample") and hasattr(scheduler, "alphas_cumprod"):
        square = _alphas_cumprod(scheduler, steps)
        table = square.sqrt() if kind == "v_prediction" else -(square / (1 - square).clamp(min=MIN_SCALE**2)).sqrt()
    else:
        raise UnsupportedPipeline(
            f"scheduler {type(scheduler).__name__} with prediction_type {kind!r} cannot be steered; "
            "use one that predicts epsilon, v_prediction, sample or a flow velocity"
        )
    kept = torch.where(torch.signbit(table), table.clamp(max=-MIN_SCALE), table.clamp(min=MIN_SCALE))
    return kept.to(device=device, dtype=torch.float32).unbind()


def _flow_sigmas(scheduler: Any) -> Tensor:
    """Return the noise level of each step.

    Where a picture grows in stages (Helios), sigmas run from 1 to 0 in each stage, and only the timesteps tell the
    level. What is predicted is the velocity times the levels that the stage spans: a constant that no rule sees, as it
    begins anew with each stage.
    """
    if scheduler.config.get("stages", 1) > 1:
        return scheduler.timesteps / scheduler.config.num_train_timesteps
    return scheduler.sigmas


def _alphas_cumprod(scheduler: Any, steps: slice) -> Tensor:
    """Return alpha^2 at the timesteps, which need not be whole numbers."""
    table = scheduler.alphas_cumprod.cpu().double()
    times = torch.as_tensor(scheduler.timesteps[steps]).cpu().double().clamp(0, len(table) - 1)
    below, above = times.floor().long(), times.ceil().long()
    return torch.lerp(table[below], table[above], times - below)


def _preconditioned(scheduler: Any, steps: slice, kind: str) -> Tensor:
    sigma, data = scheduler.sigmas[steps].cpu().double(), scheduler.config.sigma_data
    scale = data / (sigma**2 + data**2).sqrt()
    return -scale if kind == "epsilon" else scale


def denoised_factors(scheduler: Any, step: int) -> tuple[float, float]:
    """Return a and b of the denoised image a x + b e of a step, e the prediction for what the denoiser sees, x.

    With x = alpha x0 + sigma eps that is (x - sigma eps) / alpha, or alpha x - sigma v; of a flow x - sigma v.

    Args:
        scheduler: A diffusers scheduler whose timesteps are set.
        step: 0-based step.

    Raises:
        UnsupportedPipeline: The scheduler's prediction type is not known.
    """
    kind = scheduler.config.get("prediction_type", None)
    if "FlowMatch" in type(scheduler).__name__ and is_flow(scheduler) and not scheduler.config.get("invert_sigmas"):
        return 1.0, -float(scheduler.sigmas[step])
    if kind not in ("epsilon", "v_prediction") or not hasattr(scheduler, "alphas_cumprod"):
        raise UnsupportedPipeline(
            f"scheduler {type(scheduler).__name__} with prediction_type {kind!r} does not say how much noise is in its "
            "latents; use one that predicts epsilon, v_prediction or a flow velocity"
        )
    square = float(_alphas_cumprod(scheduler, slice(step, step + 1))[0])
    alpha, sigma = square**0.5, (1 - square) ** 0.5
    return (1 / alpha, -sigma / alpha) if kind == "epsilon" else (alpha, -sigma)


def first_step(scheduler: Any, count: int) -> int:
    """Return the index of the first of the last `count` steps: later than 0 where a run starts from an image."""
    begin = getattr(scheduler, "begin_index", None)
    whole = getattr(scheduler, "num_inference_steps", None)
    return max(0, (len(scheduler.timesteps) if whole is None else whole) - count) if begin is None else begin


def is_flow(scheduler: Any) -> bool:
    """Say whether a scheduler is one of a rectified flow model."""
    kind = scheduler.config.get("prediction_type", None)
    return kind == "flow_prediction" or (kind is None and "FlowMatch" in type(scheduler).__name__)
