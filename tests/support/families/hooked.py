"""A rule put into a pipeline by the shortest way: the denoiser returns what makes the guidance land on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

Encode = Callable[[Any, str], dict[str, Any]]
"""(pipe, text) -> the denoiser's conditioning by argument name, one row."""


def _unet(pipe: Any, text: str) -> dict[str, Any]:
    embeds = pipe.encode_prompt(text, device="cpu", num_images_per_prompt=1, do_classifier_free_guidance=False)
    return {"encoder_hidden_states": embeds[0], **({"text_embeds": embeds[2]} if len(embeds) == 4 else {})}


def _chroma(pipe: Any, text: str) -> dict[str, Any]:
    embeds, _, mask, *_ = pipe.encode_prompt(text, do_classifier_free_guidance=False, max_sequence_length=48)
    return {"encoder_hidden_states": embeds, "attention_mask": torch.cat([mask, torch.ones(1, 16).to(mask)], dim=1)}


def _cogview4(pipe: Any, text: str) -> dict[str, Any]:
    embeds, _ = pipe.encode_prompt(text, do_classifier_free_guidance=False, max_sequence_length=48)
    return {"encoder_hidden_states": embeds}


def _if(pipe: Any, text: str) -> dict[str, Any]:
    embeds, _ = pipe.encode_prompt(text, do_classifier_free_guidance=False)
    return {"encoder_hidden_states": embeds}


def _kandinsky3(pipe: Any, text: str) -> dict[str, Any]:
    embeds, _, mask, _ = pipe.encode_prompt(text, do_classifier_free_guidance=False, _cut_context=True)
    return {"encoder_hidden_states": embeds, "encoder_attention_mask": mask.bool()}


def _sd3(pipe: Any, text: str) -> dict[str, Any]:
    embeds, _, pooled, _ = pipe.encode_prompt(
        text, text, text, do_classifier_free_guidance=False, max_sequence_length=48
    )
    return {"encoder_hidden_states": embeds, "pooled_projections": pooled}


def _flux(pipe: Any, text: str) -> dict[str, Any]:
    embeds, pooled, _ = pipe.encode_prompt(text, text, max_sequence_length=48)
    return {"encoder_hidden_states": embeds, "pooled_projections": pooled}


def _qwen_image(pipe: Any, text: str) -> dict[str, Any]:
    embeds, mask = pipe.encode_prompt(text)
    return {"encoder_hidden_states": embeds, "encoder_hidden_states_mask": mask}


def _z_image(pipe: Any, text: str) -> dict[str, Any]:
    embeds, _ = pipe.encode_prompt(text, do_classifier_free_guidance=False, max_sequence_length=64)
    return {"cap_feats": embeds}


def _wan(pipe: Any, text: str) -> dict[str, Any]:
    embeds, _ = pipe.encode_prompt(text, do_classifier_free_guidance=False, max_sequence_length=48)
    return {"encoder_hidden_states": embeds}


ENCODERS: Mapping[str, Encode] = {
    "sd": _unet,
    "sdxl": _unet,
    "kolors": _unet,
    "sd3": _sd3,
    "chroma": _chroma,
    "cogview4": _cogview4,
    "cogvideox": _cogview4,
    "if": _if,
    "kandinsky3": _kandinsky3,
    "skyreels-v2": _wan,
    "flux-embedded": _flux,
    "flux": _flux,
    "qwen-image": _qwen_image,
    "z-image": _z_image,
    "wan": _wan,
}


def embedded(forward: Any, w: float, concepts: Sequence[dict[str, Any]]) -> Any:
    """Return a forward for denoisers that take the scale as an input; the last of the concepts is the empty text."""
    del w

    def composed(**kwargs: Any) -> Any:
        *found, u = [forward(**{**kwargs, **concept})[0] for concept in concepts]
        return (_composable(u, forward(**kwargs)[0], found, 1.0),)

    return composed


def concat(forward: Any, w: float, concepts: Sequence[dict[str, Any]]) -> Any:
    """Return a forward for pipelines that compute u + w (c - u) of the rows [u; c]: both rows are the result."""

    def composed(*args: Any, **kwargs: Any) -> Any:
        u, c = forward(*args, **kwargs)[0].chunk(2)
        args, kwargs = _of_prompt(args), _of_prompt(kwargs)
        found = [forward(*args, **_replaced(kwargs, concept))[0] for concept in concepts]
        return (torch.cat([_composable(u, c, found, w)] * 2),)

    return composed


def lists(forward: Any, w: float, concepts: Sequence[dict[str, Any]]) -> Any:
    """Return a forward for Z-Image, which computes c + (w - 1) (c - u) of the lists [c, u]: both are the result."""

    def composed(x: list[Tensor], t: Tensor, texts: list[Tensor], **kwargs: Any) -> Any:
        c, u = forward(x, t, texts, **kwargs)[0]
        found = [forward(x[:1], t[:1], concept["cap_feats"], **kwargs)[0][0] for concept in concepts]
        return ([_composable(u, c, found, w)] * 2,)

    return composed


def sequential(forward: Any, w: float, concepts: Sequence[dict[str, Any]]) -> Any:
    """Return a forward for pipelines that ask for c and then for u, and compute u + w (c - u): only u is changed."""
    kept: list[tuple[dict[str, Any], Tensor]] = []

    def composed(**kwargs: Any) -> Any:
        (prediction,) = forward(**kwargs)
        if not kept:
            kept.append((kwargs, prediction))
            return (prediction,)
        own, c = kept.pop()
        found = [forward(**{**own, **concept})[0] for concept in concepts]
        return ((w * c - _composable(prediction, c, found, w)) / (w - 1),)

    return composed


HOOKS = {
    **dict.fromkeys(("sd", "sdxl", "kolors", "if", "kandinsky3", "sd3", "cogvideox"), concat),
    "z-image": lists,
    "flux-embedded": embedded,
}
"""How a family is hooked; the others are sequential."""


def _composable(u: Tensor, c: Tensor, concepts: Sequence[Tensor], w: float) -> Tensor:
    """Return u + w (p + sum_k s_k): Composable Diffusion with the prompt as one more concept."""
    return u + w * (c - u) + w * sum(concept - u for concept in concepts)


def _of_prompt(value: Any) -> Any:
    """Return the second of two rows of every tensor in a nest."""
    if isinstance(value, Tensor):
        return value[1:] if value.ndim and len(value) == 2 else value
    if isinstance(value, dict):
        return {name: _of_prompt(item) for name, item in value.items()}
    return type(value)([_of_prompt(item) for item in value]) if isinstance(value, list | tuple) else value


def _replaced(kwargs: Mapping[str, Any], concept: Mapping[str, Any]) -> dict[str, Any]:
    """Return keyword arguments with the conditioning of a concept, also one level down."""
    nested = {name: {**item, **concept} for name, item in kwargs.items() if name == "added_cond_kwargs" and item}
    return {**kwargs, **{name: item for name, item in concept.items() if name in kwargs}, **nested}
