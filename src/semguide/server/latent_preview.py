"""Previews of an image during sampling: x0 from two latents, decoded at a small size; no denoiser evaluations."""

from __future__ import annotations

import base64
import io
from typing import Any

from semguide.models.option_checks import TILES_ONLY

LARGEST_SIDE = 32
"""Height and width, in latent pixels, that latents are pooled to before they are decoded."""
QUALITY = 80
"""JPEG quality, 0 to 95."""
FRESH_NOISE = frozenset({"LCMScheduler", "FlowMatchLCMScheduler", "SCMScheduler", "TCDScheduler"})
"""Schedulers of few steps, which put other noise into the latents at each, so that two of them do not tell x0."""
Level = tuple[float, float]
"""Signal and noise scale (a, b) of latents x = a x0 + b eps."""


def predict_x0(scheduler: Any, before: Any, after: Any, step: int) -> Any:
    """Predict x0 from the latents before and after a deterministic first-order step.

    With x_t = a_t x0 + b_t eps and x_s = a_s x0 + b_s eps for the same x0 and eps (DDIM, arXiv 2010.02502, eq. 12):
    x0 = (b_s x_t - b_t x_s) / (b_s a_t - b_t a_s). For other solvers it is an approximation.

    Args:
        scheduler: A diffusers scheduler whose timesteps are set.
        before: Latents (1, channel, height, width) at the start of the step; None: unknown.
        after: Latents at its end.
        step: 0-based step.

    Returns:
        x0, with the shape of `after`; `after` itself where x0 cannot be computed, and None where that is mostly noise.
    """
    if type(scheduler).__name__ in FRESH_NOISE and step + 1 < len(scheduler.timesteps):
        return None
    levels = _levels(scheduler, step)
    if before is None or levels is None:
        return after
    (a_t, b_t), (a_s, b_s) = levels
    scale = b_s * a_t - b_t * a_s
    return (b_s * before - b_t * after) / scale if abs(scale) > 1e-6 else after


def _levels(scheduler: Any, step: int) -> tuple[Level, Level] | None:
    """Return signal and noise scale before and after a step; None if unknown or of a higher-order scheduler."""
    timesteps, sigmas = scheduler.timesteps, getattr(scheduler, "sigmas", None)
    if scheduler.order != 1 or step + 1 >= len(timesteps):
        return None
    if sigmas is not None:
        kind = type(scheduler).__name__
        return _level_of_sigma(kind, float(sigmas[step])), _level_of_sigma(kind, float(sigmas[step + 1]))
    alphas = getattr(scheduler, "alphas_cumprod", None)
    if alphas is None:
        return None
    squares = [float(alphas[int(timesteps[index])]) for index in (step, step + 1)]
    return (squares[0] ** 0.5, (1 - squares[0]) ** 0.5), (squares[1] ** 0.5, (1 - squares[1]) ** 0.5)


def _level_of_sigma(kind: str, sigma: float) -> Level:
    """Return signal and noise scale at a sigma: flow matching, variance exploding or variance preserving."""
    if "FlowMatch" in kind:
        return 1 - sigma, sigma
    if any(word in kind for word in ("Euler", "LMS")):
        return 1.0, sigma
    return (1 + sigma**2) ** -0.5, sigma * (1 + sigma**2) ** -0.5


def encode_preview(pipe: Any, latents: Any) -> str | None:
    """Decode latents with the pipeline's autoencoder to a JPEG `data:` URL.

    Args:
        pipe: A diffusers pipeline.
        latents: Latents (1, channel, height, width), or of a video with frames, of which the one in the middle is
            decoded alone.

    Returns:
        The URL; None if the latents have another number of dimensions, or the autoencoder cannot decode them alone.
    """
    import torch
    from torch.nn import functional as F

    vae = getattr(pipe, "vae", None)
    if latents.ndim not in (4, 5) or vae is None or type(vae).__name__ in TILES_ONLY:
        return None
    frame, place = (latents, 0) if latents.ndim == 4 else _middle_frame(pipe, latents)
    factor = -(-max(frame.shape[-2:]) // LARGEST_SIDE)
    with torch.no_grad():
        small = F.avg_pool2d(frame, factor) if factor > 1 else frame
        scaled = _scaled_back(pipe, small.to(vae.dtype), place)
        decoded = vae.decode(scaled.unsqueeze(2) if _decodes_videos(vae) else scaled, return_dict=False)[0]
    if decoded.ndim == 5:
        decoded = decoded[:, :, decoded.shape[2] // 2]
    processor = pipe.video_processor if hasattr(pipe, "video_processor") else pipe.image_processor
    return _data_url(processor.postprocess(decoded.detach())[0])


def _middle_frame(pipe: Any, latents: Any) -> tuple[Any, int]:
    """Return the frame in the middle of the latents of a video, (1, channel, height, width), and its place."""
    from semguide.adapters.pipelines.families.registry import spec_of

    channels_first = latents.movedim(spec_of(pipe).channel_dim, 1)
    place = channels_first.shape[2] // 2
    known = getattr(pipe.vae.config, "latent_channels", None)  # Kandinsky 5 has a picture and a mask beside them
    return channels_first[:, :known, place], place


def _decodes_videos(vae: Any) -> bool:
    """Whether an autoencoder takes latents with frames, as its convolutions do."""
    return next(weight.ndim for weight in vae.decoder.parameters() if weight.ndim >= 4) == 5


def _scaled_back(pipe: Any, latents: Any, place: int) -> Any:
    """Return latents (1, channel, height, width) as the autoencoder made them, from those of the denoiser.

    Args:
        pipe: The pipeline.
        latents: The latents.
        place: Of the frame, as some autoencoders have a mean for each.
    """
    import torch

    config = pipe.vae.config
    factor = (getattr(config, "scaling_factor", None) or 1.0) * getattr(pipe.scheduler.config, "sigma_data", 1.0)
    mean, std = (getattr(config, f"latents_{name}", None) for name in ("mean", "std"))
    if mean is None or std is None:
        return latents / factor + (getattr(config, "shift_factor", None) or 0.0)
    columns = (torch.tensor(values).to(latents).view(latents.shape[1], -1) for values in (mean, std))
    mean, std = (values[:, min(place, values.shape[1] - 1)].view(1, -1, 1, 1) for values in columns)
    return latents * std / factor + mean


def _data_url(image: Any) -> str:
    file = io.BytesIO()
    image.convert("RGB").save(file, format="JPEG", quality=QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"
