"""A sampling loop written out by hand, with one rule and no adapter code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

Predict = Callable[[Any, Tensor, Tensor, str, bool], Tensor]
"""(pipe, x, t, text, whether it is the negative prompt) -> the denoiser's raw prediction, batch of one."""


@dataclass(frozen=True)
class ByHand:
    """How a family samples.

    Attributes:
        predict: Its raw prediction for one text.
        shape: Shape of its latents, as the pipeline takes them.
        sign: -1 where the pipeline negates the prediction before it steps.
        shift: w = argument + shift.
        channels: The leading channels that are the prediction; the others are a variance.
        normalized: Whether the guided prediction gets the norm of e(P), over the last dimension.
        dtype: What the pipeline turns predictions into before it guides.
        eps_scale: "eps", "v", "flow", or "inverted flow", whose sigma is the share of x0.
        channel_dim: The dimension of channels, which the rule is to get before frames, from the last.
        w: Scale of its guidance, None for the scale of the call.
        tolerance: Largest deviation, as a share of what the rule changes; that of single precision where the pipeline
            or its scheduler computes in it.
    """

    predict: Predict
    shape: tuple[int, ...]
    sign: float = 1.0
    shift: float = 0.0
    channels: int | None = None
    normalized: bool = False
    dtype: torch.dtype = torch.float64
    eps_scale: str = "flow"
    channel_dim: int = -4
    w: float | None = None
    tolerance: float = 1e-5


@dataclass(frozen=True)
class Attraction:
    """The parameters of the rule by hand: SGTv2 with both gates always open (docs/method.md)."""

    w: float
    w_c: float = 2.0
    q: float = 0.5
    mu: float = 0.5
    beta: float = 0.5
    warmup: int = 0


@torch.no_grad()
def sample(pipe: Any, hand: ByHand, rule: Attraction, texts: tuple[str, str, Sequence[str]], latents: Tensor) -> Tensor:
    """Sample with e(0), e(P) and e(c_k) at every step.

    Args:
        pipe: A pipeline that has just run, for its timesteps.
        hand: How its family samples.
        rule: The rule.
        texts: Negative prompt, prompt and concepts.
        latents: Where the run began.
    """
    negative, prompt, concepts = texts
    scheduler = _as_before(pipe.scheduler)
    x = latents * getattr(scheduler, "init_noise_sigma", 1.0)
    momentum = [torch.zeros(())] * len(concepts)
    for index, t in enumerate(scheduler.timesteps):
        seen = scheduler.scale_model_input(x, t) if hasattr(scheduler, "scale_model_input") else x
        e = partial(_e, pipe, hand, seen.double(), t)
        u, c = e(negative, True), e(prompt)
        scale = _eps_scale(scheduler, hand.eps_scale, index)
        p, *subjects = (e(text) - u for text in (prompt, *concepts))
        if hand.channel_dim != -4:
            p, *subjects = (part.movedim(hand.channel_dim, -4) for part in (p, *subjects))
        delta, momentum = _sgt_v2(rule, index, p, subjects, (momentum, scale))
        delta = delta.movedim(-4, hand.channel_dim) if hand.channel_dim != -4 else delta
        guided = u + (rule.w + hand.shift) * (c - u) + delta
        if hand.normalized:
            guided = guided * c.norm(dim=-1, keepdim=True) / guided.norm(dim=-1, keepdim=True)
        x = scheduler.step(guided, t, x, return_dict=False)[0]
    return x


def _e(pipe: Any, hand: ByHand, x: Tensor, t: Tensor, text: str, negative: bool = False) -> Tensor:
    """Return e(text) as the pipeline guides it."""
    return hand.sign * hand.predict(pipe, x, t, text, negative)[:, : hand.channels].to(hand.dtype)


def _as_before(scheduler: Any) -> Any:
    """Return a scheduler with the timesteps of one that has been used, and none of its memory."""
    new = type(scheduler).from_config(scheduler.config)
    for name in ("timesteps", "sigmas", "num_inference_steps"):
        if hasattr(scheduler, name):
            setattr(new, name, getattr(scheduler, name))
    return new


def _eps_scale(scheduler: Any, kind: str, index: int) -> float:
    """Return eps difference / prediction difference, kept off zero: 1, alpha, 1 - sigma, or - sigma if inverted."""
    if kind == "eps":
        return 1.0
    if kind == "v":
        return max(float(scheduler.alphas_cumprod[scheduler.timesteps[index]]) ** 0.5, 1e-4)
    if kind == "inverted flow":
        return -max(float(scheduler.sigmas[index]), 1e-4)
    return max(1 - float(scheduler.sigmas[index]), 1e-4)


def _sgt_v2(
    rule: Attraction, index: int, p: Tensor, subjects: list[Tensor], memory: tuple[list[Tensor], float]
) -> tuple[Tensor, list[Tensor]]:
    """Return w_c (sum_k g_k - (p - a)) after the warmup, and the next m_k in eps space."""
    momentum, scale = memory
    masked = [_top(s, rule.q) for s in subjects]
    abstract = _top(p, rule.q)
    for s in masked:
        abstract = abstract - (abstract * s).sum() / (s * s).sum() * s
    edits = [s + rule.mu * m / scale for s, m in zip(masked, momentum, strict=True)]
    following = [rule.beta * m + (1 - rule.beta) * g * scale for m, g in zip(momentum, edits, strict=True)]
    delta = rule.w_c * (torch.stack(edits).sum(dim=0) - (p - abstract))
    return (delta if index > rule.warmup else torch.zeros_like(p)), following


def _top(x: Tensor, q: float) -> Tensor:
    """Return x where |x| reaches its quantile in each channel: of (1, tokens, channels) or (1, channels, ...)."""
    rows = x[0].abs().T if x.ndim == 3 else x[0].abs().flatten(1)
    limit = torch.quantile(rows, q, dim=1)
    limit = limit if x.ndim == 3 else limit.reshape(-1, *[1] * (x.ndim - 2))
    return torch.where(x.abs() >= limit, x, torch.zeros_like(x))
