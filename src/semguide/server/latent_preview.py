"""What a picture is going to be, while it is made: no denoiser evaluations, one decoding at a small size."""

from __future__ import annotations

import base64
import io
from typing import Any

LARGEST_SIDE = 32
"""Latents are reduced to this many cells a side before they are decoded, so that no preview costs more than that."""
QUALITY = 80
Level = tuple[float, float]
"""How much signal and how much noise latents hold: x = a x0 + b eps."""


def estimate(scheduler: Any, before: Any, after: Any, step: int) -> Any:
    """Return x0 where a deterministic first-order step from x_t to x_s points, else `after`.

    With x_t = a_t x0 + b_t eps and x_s = a_s x0 + b_s eps for the same x0 and eps (DDIM, arXiv 2010.02502, eq. 12):
    x0 = (b_s x_t - b_t x_s) / (b_s a_t - b_t a_s). Other solvers come near it.

    Args:
        scheduler: A diffusers scheduler whose timesteps are set.
        before: Latents (1, channel, height, width) at the start of the step; None: not known.
        after: Latents at its end.
        step: 0-based step.
    """
    levels = _levels(scheduler, step)
    if before is None or levels is None:
        return after
    (a_t, b_t), (a_s, b_s) = levels
    scale = b_s * a_t - b_t * a_s
    return (b_s * before - b_t * after) / scale if abs(scale) > 1e-6 else after


def _levels(scheduler: Any, step: int) -> tuple[Level, Level] | None:
    """Return signal and noise before and after a step; None where the scheduler does not say, or takes it in parts."""
    timesteps, sigmas = scheduler.timesteps, getattr(scheduler, "sigmas", None)
    if scheduler.order != 1 or step + 1 >= len(timesteps):
        return None
    if sigmas is not None:
        kind = type(scheduler).__name__
        return _of_sigma(kind, float(sigmas[step])), _of_sigma(kind, float(sigmas[step + 1]))
    alphas = getattr(scheduler, "alphas_cumprod", None)
    if alphas is None:
        return None
    squares = [float(alphas[int(timesteps[index])]) for index in (step, step + 1)]
    return (squares[0] ** 0.5, (1 - squares[0]) ** 0.5), (squares[1] ** 0.5, (1 - squares[1]) ** 0.5)


def _of_sigma(kind: str, sigma: float) -> Level:
    """Return signal and noise of a scheduler that counts in sigmas: a flow, one that adds noise, or VP."""
    if "FlowMatch" in kind:
        return 1 - sigma, sigma
    if any(word in kind for word in ("Euler", "LMS")):
        return 1.0, sigma
    return (1 + sigma**2) ** -0.5, sigma * (1 + sigma**2) ** -0.5


def draw_preview(pipe: Any, latents: Any) -> str | None:
    """Decode latents with the pipeline's own autoencoder to a JPEG `data:` address; None if they are no map."""
    import torch
    from torch.nn import functional as F

    if latents.ndim != 4:
        return None
    factor = -(-max(latents.shape[-2:]) // LARGEST_SIDE)
    with torch.no_grad():
        small = F.avg_pool2d(latents, factor) if factor > 1 else latents
        config = pipe.vae.config
        scaled = small.to(pipe.vae.dtype) / config.scaling_factor + (getattr(config, "shift_factor", None) or 0.0)
        decoded = pipe.vae.decode(scaled, return_dict=False)[0]
    return _address(pipe.image_processor.postprocess(decoded.detach())[0])


def _address(image: Any) -> str:
    file = io.BytesIO()
    image.convert("RGB").save(file, format="JPEG", quality=QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"
