"""Sampling loops written out by hand: each family's denoiser call and guidance, and one rule, with no adapter code."""

from __future__ import annotations

import inspect
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
        eps_scale: "eps", "v" or "flow".
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
        delta, momentum = _sgt_v2(rule, index, c - u, [e(text) - u for text in concepts], (momentum, scale))
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
    """Return eps difference / prediction difference, kept off zero: 1, alpha or 1 - sigma."""
    if kind == "eps":
        return 1.0
    if kind == "v":
        return float(scheduler.alphas_cumprod[scheduler.timesteps[index]]) ** 0.5
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


def _sd(pipe: Any, x: Tensor, t: Tensor, text: str, negative: bool) -> Tensor:
    del negative
    embeds, _ = pipe.encode_prompt(text, "cpu", 1, False)
    return pipe.unet(x, t, encoder_hidden_states=embeds).sample


def _sdxl(pipe: Any, x: Tensor, t: Tensor, text: str, negative: bool) -> Tensor:
    embeds, _, pooled, _ = pipe.encode_prompt(text, do_classifier_free_guidance=False)
    if negative:  # an empty negative prompt is zeros in SDXL
        embeds, pooled = torch.zeros_like(embeds), torch.zeros_like(pooled)
    ids = torch.tensor([[64.0, 64.0, 0.0, 0.0, 64.0, 64.0]], dtype=x.dtype)
    added = {"text_embeds": pooled, "time_ids": ids}
    return pipe.unet(x, t, encoder_hidden_states=embeds, added_cond_kwargs=added).sample


def _sd3(pipe: Any, x: Tensor, t: Tensor, text: str, negative: bool) -> Tensor:
    del negative
    embeds, _, pooled, _ = pipe.encode_prompt(
        text, text, text, do_classifier_free_guidance=False, max_sequence_length=48
    )
    return pipe.transformer(
        hidden_states=x, timestep=t[None], encoder_hidden_states=embeds, pooled_projections=pooled
    ).sample


def _flux(pipe: Any, x: Tensor, t: Tensor, text: str, negative: bool) -> Tensor:
    del negative
    embeds, pooled, text_ids = pipe.encode_prompt(text, text, max_sequence_length=48)
    rows, columns = torch.meshgrid(torch.arange(4), torch.arange(4), indexing="ij")
    places = torch.stack([torch.zeros(4, 4), rows, columns], dim=-1).reshape(16, 3).to(x)
    embedded = pipe.transformer.config.guidance_embeds
    return pipe.transformer(
        hidden_states=x,
        timestep=t[None].to(x) / 1000,
        guidance=torch.tensor([4.0]) if embedded else None,
        pooled_projections=pooled,
        encoder_hidden_states=embeds,
        txt_ids=text_ids,
        img_ids=places,
    ).sample


def _qwen_image(pipe: Any, x: Tensor, t: Tensor, text: str, negative: bool) -> Tensor:
    del negative
    embeds, mask = pipe.encode_prompt(text, max_sequence_length=512)
    return pipe.transformer(
        hidden_states=x,
        timestep=t[None].to(x) / 1000,
        encoder_hidden_states_mask=mask,
        encoder_hidden_states=embeds,
        img_shapes=[[(1, 4, 4)]],
    ).sample


def _pixart(pipe: Any, x: Tensor, t: Tensor, text: str, negative: bool) -> Tensor:
    del negative
    embeds, mask, _, _ = pipe.encode_prompt(text, False, max_sequence_length=48)
    added: dict[str, Any] = {"resolution": None, "aspect_ratio": None}
    if pipe.transformer.use_additional_conditions:
        added = {"resolution": torch.tensor([[16.0, 16.0]]).to(x), "aspect_ratio": torch.tensor([[1.0]]).to(x)}
    return pipe.transformer(
        x, encoder_hidden_states=embeds, encoder_attention_mask=mask, timestep=t[None], added_cond_kwargs=added
    ).sample


def _sana(pipe: Any, x: Tensor, t: Tensor, text: str, negative: bool) -> Tensor:
    instruction = inspect.signature(type(pipe).__call__).parameters["complex_human_instruction"].default
    if negative:  # the instruction comes before prompts only
        embeds, mask = pipe._get_gemma_prompt_embeds(text, "cpu", x.dtype, max_sequence_length=64)
    else:
        embeds, mask, _, _ = pipe.encode_prompt(
            text, False, max_sequence_length=64, complex_human_instruction=instruction
        )
    scaled = t[None] * pipe.transformer.config.timestep_scale
    return pipe.transformer(x, encoder_hidden_states=embeds, encoder_attention_mask=mask, timestep=scaled).sample


def _aura_flow(pipe: Any, x: Tensor, t: Tensor, text: str, negative: bool) -> Tensor:
    del negative
    embeds, _, _, _ = pipe.encode_prompt(text, do_classifier_free_guidance=False, max_sequence_length=48)
    return pipe.transformer(x, encoder_hidden_states=embeds, timestep=t[None].to(x) / 1000).sample


def _hidream(pipe: Any, x: Tensor, t: Tensor, text: str, negative: bool) -> Tensor:
    del negative
    t5, _, llama, _, pooled, _ = pipe.encode_prompt(text, do_classifier_free_guidance=False, max_sequence_length=48)
    return pipe.transformer(
        hidden_states=x,
        timesteps=t[None],
        encoder_hidden_states_t5=t5,
        encoder_hidden_states_llama3=llama,
        pooled_embeds=pooled,
    ).sample


def _lumina2(pipe: Any, x: Tensor, t: Tensor, text: str, negative: bool) -> Tensor:
    read = text if negative else f"{pipe.system_prompt} <Prompt Start> {text}"
    embeds, mask = pipe._get_gemma_prompt_embeds(read, max_sequence_length=64)
    return pipe.transformer(
        hidden_states=x, timestep=1 - t[None] / 1000, encoder_hidden_states=embeds, encoder_attention_mask=mask
    ).sample


def _cogview4(pipe: Any, x: Tensor, t: Tensor, text: str, negative: bool) -> Tensor:
    del negative
    embeds, _ = pipe.encode_prompt(text, do_classifier_free_guidance=False, max_sequence_length=48)
    size, corner = torch.tensor([[16.0, 16.0]]).to(x), torch.zeros(1, 2).to(x)
    return pipe.transformer(
        hidden_states=x,
        encoder_hidden_states=embeds,
        timestep=t[None],
        original_size=size,
        target_size=size,
        crop_coords=corner,
    ).sample


def _z_image(pipe: Any, x: Tensor, t: Tensor, text: str, negative: bool) -> Tensor:
    del negative
    embeds, _ = pipe.encode_prompt(text, do_classifier_free_guidance=False, max_sequence_length=64)
    return pipe.transformer([x[0].unsqueeze(1)], (1000 - t[None]) / 1000, embeds).sample[0].transpose(0, 1)


def _hunyuan_image(pipe: Any, x: Tensor, t: Tensor, text: str, negative: bool) -> Tensor:
    del negative
    embeds, mask, glyphs, glyph_mask = pipe.encode_prompt(text)
    return pipe.transformer(
        hidden_states=x,
        timestep=t[None].to(x),
        encoder_hidden_states=embeds,
        encoder_attention_mask=mask,
        encoder_hidden_states_2=glyphs.to(x),
        encoder_attention_mask_2=glyph_mask,
    ).sample


def _wan(pipe: Any, x: Tensor, t: Tensor, text: str, negative: bool) -> Tensor:
    del negative
    embeds, _ = pipe.encode_prompt(text, do_classifier_free_guidance=False, max_sequence_length=48)
    return pipe.transformer(hidden_states=x, timestep=t[None], encoder_hidden_states=embeds).sample


_EXACT: dict[str, Any] = {"tolerance": 1e-9}

BY_HAND: dict[str, ByHand] = {
    "sd": ByHand(_sd, (1, 4, 8, 8), eps_scale="eps", **_EXACT),
    "sd-v": ByHand(_sd, (1, 4, 8, 8), eps_scale="v"),
    "sdxl": ByHand(_sdxl, (1, 4, 8, 8), eps_scale="eps"),
    "sd3": ByHand(_sd3, (1, 16, 4, 4)),
    "flux": ByHand(_flux, (1, 16, 16)),
    "flux-embedded": ByHand(_flux, (1, 16, 16), w=1.0),
    "qwen-image": ByHand(_qwen_image, (1, 16, 16), normalized=True),
    "pixart-alpha": ByHand(_pixart, (1, 4, 8, 8), channels=4, eps_scale="eps", **_EXACT),
    "pixart-sigma": ByHand(_pixart, (1, 4, 8, 8), channels=4, eps_scale="eps", **_EXACT),
    "sana": ByHand(_sana, (1, 4, 8, 8), dtype=torch.float32),
    "aura-flow": ByHand(_aura_flow, (1, 4, 8, 8)),
    "hidream": ByHand(_hidream, (1, 4, 8, 8), sign=-1.0),
    "lumina2": ByHand(_lumina2, (1, 4, 4, 4), sign=-1.0, normalized=True),
    "cogview4": ByHand(_cogview4, (1, 4, 8, 8)),
    "z-image": ByHand(_z_image, (1, 4, 8, 8), sign=-1.0, shift=1.0, dtype=torch.float32),
    "hunyuan-image": ByHand(_hunyuan_image, (1, 4, 4, 4)),
    "wan": ByHand(_wan, (1, 4, 2, 2, 2)),
}
