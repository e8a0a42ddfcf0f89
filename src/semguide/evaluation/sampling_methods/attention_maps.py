"""The attention of a denoiser to the words of a prompt: cross-attention of U-Nets, joint attention of MMDiTs."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from semguide.adapters.pipelines.families.registry import spec_of
from semguide.adapters.pipelines.token_nulling import content_indices, own_indices, token_segments
from semguide.concepts.spans import locate
from semguide.errors import InvalidArgument
from semguide.guidance.geometry import upcast_half
from semguide.types import Concept

JOINT = "StableDiffusion3Pipeline"
"""The pipeline whose denoiser has text and image in one attention."""
Span = tuple[int, int]
"""Offsets of a phrase in the prompt."""


def map_sides(pipe: Any, latents: int) -> list[int]:
    """Return the sides of the attention maps that a pipeline's denoiser has, those of one place left out.

    Args:
        pipe: A StableDiffusionPipeline or a StableDiffusion3Pipeline.
        latents: Side of its latents.
    """
    if type(pipe).__name__ == JOINT:
        return [latents // pipe.transformer.config.patch_size]
    config = pipe.unet.config
    kinds = [*config.down_block_types]
    sides = [latents // 2**level for level, kind in enumerate(kinds) if "CrossAttn" in kind]
    if config.mid_block_type == "UNetMidBlock2DCrossAttn":
        sides.append(latents // 2 ** (len(kinds) - 1))
    return sorted({side for side in sides if side > 1})  # the smoothing needs a neighbour on each side


@contextmanager
def recorded_maps(pipe: Any, side: int) -> Generator[list[Tensor], None, None]:
    """Record the attention to the text of every denoiser call, while the context lasts, for one row.

    The denoiser itself computes as it always does; a map is made a second time from the layer's own projections.

    Args:
        pipe: A StableDiffusionPipeline or a StableDiffusion3Pipeline.
        side: Side of the maps to record.

    Yields:
        The maps so far, one "head place token" a layer, differentiable where gradients are on.
    """
    found: list[Tensor] = []
    joint = type(pipe).__name__ == JOINT
    layers, maps_of = (
        ([block.attn for block in pipe.transformer.transformer_blocks], _joint_maps)
        if joint
        else ([layer for name, layer in pipe.unet.named_modules() if name.endswith(".attn2")], _cross_maps)
    )
    with ExitStack() as stack:
        for layer in layers:
            hook = layer.register_forward_pre_hook(partial(_record, maps_of, side, found), with_kwargs=True)
            stack.callback(hook.remove)
        yield found


def _record(
    maps_of: Callable[[Any, Tensor, Tensor], Tensor],
    side: int,
    found: list[Tensor],
    layer: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> None:
    hidden = args[0] if args else kwargs["hidden_states"]
    if hidden.shape[1] == side**2:
        found.append(maps_of(layer, hidden, kwargs["encoder_hidden_states"]))


def _cross_maps(layer: Any, hidden: Tensor, text: Tensor) -> Tensor:
    query, key = layer.head_to_batch_dim(layer.to_q(hidden)), layer.head_to_batch_dim(layer.to_k(text))
    return layer.get_attention_scores(query, key)


def _joint_maps(layer: Any, hidden: Tensor, text: Tensor) -> Tensor:
    """Return the part of the text in the attention of the image's places to image and text."""

    def heads(projected: Tensor, norm: Any) -> Tensor:
        split = projected.reshape(*projected.shape[:2], layer.heads, -1).transpose(1, 2)
        return split if norm is None else norm(split)

    query = heads(layer.to_q(hidden), layer.norm_q)
    image = heads(layer.to_k(hidden), layer.norm_k)
    words = heads(layer.add_k_proj(text), layer.norm_added_k)
    scores = query @ torch.cat([image, words], dim=2).transpose(-1, -2) * layer.scale
    return scores.softmax(dim=-1)[0, :, :, hidden.shape[1] :]


def mean_map(maps: Sequence[Tensor], side: int) -> Tensor:
    """Return the mean "height width token" of maps "head place token" over heads and layers."""
    return upcast_half(torch.cat(list(maps))).mean(dim=0).reshape(side, side, -1)


class PromptTokens:
    """Where the words of a prompt stand among the tokens that a denoiser attends to.

    Args:
        pipe: A StableDiffusionPipeline or a StableDiffusion3Pipeline.
        prompt: The prompt.
        length: Number of tokens that the denoiser gets.

    Attributes:
        prompt: The prompt.
        length: That number.
        joint: Whether places attend to each other, too, so that the attention to the text is a part of 1.
    """

    def __init__(self, pipe: Any, prompt: str, length: int) -> None:
        self.prompt, self.length = prompt, length
        self.joint = type(pipe).__name__ == JOINT
        self._segments = list(token_segments(pipe, spec_of(pipe).text, length))

    def of(self, span: Span, last: bool = False) -> list[int]:
        """Return the indices of a phrase's tokens, or of its last, with those of every text encoder beside each other.

        Raises:
            InvalidArgument: No text encoder reads the phrase.
        """
        found: list[int] = []
        for tokenizer, start, stop in self._segments:
            indices = [start + index for index in own_indices(tokenizer, self.prompt, span)]
            found += [index for index in (indices[-1:] if last else indices) if index < stop]
        if not found:
            raise InvalidArgument("concepts", "must be where the text encoders still read", self.prompt[slice(*span)])
        return found

    def read(self) -> list[int]:
        """Return the indices of all tokens but padding and each text encoder's first where that is a special one."""
        found: list[int] = []
        for tokenizer, start, stop in self._segments:
            special = (
                tokenizer(self.prompt, verbose=False).input_ids[:1]
                != tokenizer(self.prompt, add_special_tokens=False, verbose=False).input_ids[:1]
            )
            found += [start + i for i in content_indices(tokenizer, self.prompt, stop - start)[int(special) :]]
        return found

    def words(self) -> list[Span]:
        """Return the words of the prompt."""
        return [found.span() for found in re.finditer(r"\w+", self.prompt)]


@dataclass(frozen=True)
class Subject:
    """The words of a concept in the prompt.

    Attributes:
        noun: Its head noun; the whole phrase where that is not known.
        modifiers: The words that describe it.
    """

    noun: Span
    modifiers: tuple[Span, ...] = ()

    @property
    def words(self) -> tuple[Span, ...]:
        """All of them."""
        return (*self.modifiers, self.noun)


def subject_of(prompt: str, concept: Concept, method: str) -> Subject:
    """Return where the words of a concept stand in a prompt.

    Raises:
        InvalidArgument: The concept is not in the prompt.
    """
    if concept.span is None:
        raise InvalidArgument("concepts", f"must stand in the prompt for {method}", concept.text)
    start, end = concept.span
    noun = locate(prompt[:end], concept.head, start) if concept.head else None
    if noun is None:
        return Subject(concept.span)
    modifiers = (locate(prompt[: noun[0]], word, start) for word in concept.attributes)
    return Subject(noun, tuple(span for span in modifiers if span is not None))
