"""A rule put into a pipeline by the shortest way: the denoiser returns what makes the guidance land on it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from support.tiny.videos import TEMPLATE

Encode = Callable[[Any, str], dict[str, Any]]
"""(pipe, text) -> the denoiser's conditioning by argument name, one row."""


def _unet(pipe: Any, text: str) -> dict[str, Any]:
    embeds = pipe.encode_prompt(text, device="cpu", num_images_per_prompt=1, do_classifier_free_guidance=False)
    return {"encoder_hidden_states": embeds[0], **({"text_embeds": embeds[2]} if len(embeds) == 4 else {})}


def _chroma(pipe: Any, text: str) -> dict[str, Any]:
    embeds, _, mask, *_ = pipe.encode_prompt(text, do_classifier_free_guidance=False, max_sequence_length=48)
    return {"encoder_hidden_states": embeds, "attention_mask": torch.cat([mask, torch.ones(1, 16).to(mask)], dim=1)}


def _cogview4(pipe: Any, text: str) -> dict[str, Any]:
    embeds, *_ = pipe.encode_prompt(text, do_classifier_free_guidance=False, max_sequence_length=48)
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


def _sana(pipe: Any, text: str) -> dict[str, Any]:
    instruction = inspect.signature(type(pipe).__call__).parameters["complex_human_instruction"].default
    embeds, mask, *_ = pipe.encode_prompt(text, False, max_sequence_length=64, complex_human_instruction=instruction)
    return {"encoder_hidden_states": embeds, "encoder_attention_mask": mask}


def _video_64(pipe: Any, text: str) -> dict[str, Any]:
    embeds, _ = pipe.encode_prompt(text, do_classifier_free_guidance=False, max_sequence_length=64)
    return {"encoder_hidden_states": embeds}


def _animated(pipe: Any, text: str) -> dict[str, Any]:
    number = {} if hasattr(pipe, "text_encoder_2") else {"num_images_per_prompt": 1}
    embeds = pipe.encode_prompt(text, device="cpu", do_classifier_free_guidance=False, **number)
    return {"encoder_hidden_states": embeds[0], **({"text_embeds": embeds[2]} if len(embeds) == 4 else {})}


def _longcat(pipe: Any, text: str) -> dict[str, Any]:
    return {"encoder_hidden_states": pipe.encode_prompt(text)[0]}


def _kandinsky5(pipe: Any, text: str) -> dict[str, Any]:
    embeds, pooled, lengths = pipe.encode_prompt(text, max_sequence_length=48, dtype=torch.float32)
    places = torch.arange(int(lengths[-1]))
    return {"encoder_hidden_states": embeds, "pooled_projections": pooled, "text_rope_pos": places}


def _latte(pipe: Any, text: str) -> dict[str, Any]:
    return {"encoder_hidden_states": pipe.encode_prompt(text, do_classifier_free_guidance=False)[0]}


def _hunyuan_skyreels(pipe: Any, text: str) -> dict[str, Any]:
    embeds, pooled, mask = pipe.encode_prompt(text, prompt_template=TEMPLATE, max_sequence_length=48)
    return {"encoder_hidden_states": embeds, "pooled_projections": pooled, "encoder_attention_mask": mask.double()}


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
    "bria": _cogview4,
    "sana": _sana,
    "longcat-image": _longcat,
    "kandinsky5": _kandinsky5,
    "cosmos": _wan,
    "cosmos1": _video_64,
    "latte": _latte,
    "easyanimate": _latte,
    "hunyuan-skyreels": _hunyuan_skyreels,
    **dict.fromkeys(("sd-animatediff", "sdxl-animatediff", "sd-pia"), _animated),
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
        own = [(_of_prompt(args), _replaced(_of_prompt(kwargs), concept)) for concept in concepts]
        output = forward(*args, **kwargs)
        u, c = output[0].chunk(2)
        found = [forward(*args, **kwargs)[0] for args, kwargs in own]
        return _like(output, torch.cat([_composable(u, c, found, w)] * 2))

    return composed


def animated(forward: Any, w: float, concepts: Sequence[dict[str, Any]]) -> Any:
    """Return a forward as `concat` for pipelines that give the denoiser the text once for each of two frames."""

    def composed(*args: Any, **kwargs: Any) -> Any:
        output = forward(*args, **kwargs)
        u, c = output[0].chunk(2)
        args, kwargs = _second_half(args), _second_half(kwargs)
        found = []
        for concept in concepts:
            each = {**concept, "encoder_hidden_states": concept["encoder_hidden_states"].repeat_interleave(2, dim=0)}
            found.append(forward(*args, **_replaced(kwargs, each))[0])
        return _like(output, torch.cat([_composable(u, c, found, w)] * 2))

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
        output = forward(**kwargs)
        prediction = output[0]
        if not kept:
            kept.append((kwargs, prediction))
            return output
        own, c = kept.pop()
        found = [forward(**{**own, **concept})[0] for concept in concepts]
        return _like(output, (w * c - _composable(prediction, c, found, w)) / (w - 1))

    return composed


HOOKS = {
    **dict.fromkeys(("sd", "sdxl", "kolors", "if", "kandinsky3", "sd3", "cogvideox"), concat),
    **dict.fromkeys(("bria", "sana", "latte", "easyanimate"), concat),
    **dict.fromkeys(("sd-animatediff", "sdxl-animatediff", "sd-pia"), animated),
    "z-image": lists,
    "flux-embedded": embedded,
}
"""How a family is hooked; the others are sequential."""


def _composable(u: Tensor, c: Tensor, concepts: Sequence[Tensor], w: float) -> Tensor:
    """Return u + w (p + sum_k s_k): Composable Diffusion with the prompt as one more concept."""
    return u + w * (c - u) + w * sum(concept - u for concept in concepts)


def _like(output: Any, prediction: Tensor) -> Any:
    """Return an output of the same form with another prediction."""
    return (prediction,) if isinstance(output, tuple) else type(output)(sample=prediction)


def _second_half(value: Any) -> Any:
    """Return the second half of the rows of every tensor in a nest."""
    if isinstance(value, Tensor):
        return value[len(value) // 2 :] if value.ndim else value
    if isinstance(value, dict):
        return {name: _second_half(item) for name, item in value.items()}
    return type(value)([_second_half(item) for item in value]) if isinstance(value, list | tuple) else value


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
