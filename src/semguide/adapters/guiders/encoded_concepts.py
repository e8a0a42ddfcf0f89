"""Concepts as a guider holds them: encoded, by the names under which the pipeline knows text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from semguide.errors import InvalidArgument

SOURCES: Mapping[str, tuple[str, ...]] = {
    "cap_feats": ("prompt_embeds",),
    "encoder_attention_mask": ("prompt_embeds_mask", "prompt_attention_mask"),
    "encoder_attention_mask_2": ("prompt_embeds_mask_2",),
    "encoder_hidden_states": ("prompt_embeds",),
    "encoder_hidden_states_2": ("prompt_embeds_2",),
    "encoder_hidden_states_mask": ("prompt_embeds_mask",),
    "img_mask": ("image_pad_mask",),
    "prompt_embeds": ("prompt_embeds",),
    "text_bth": ("text_bth",),
    "text_embeds": ("pooled_prompt_embeds",),
    "text_lens": ("text_lens",),
    "txt_ids": ("txt_ids",),
}
"""Denoiser field -> what the text of the prompt is called in the pipeline's state, the first one that is there."""

TEXTS = frozenset(name for names in SOURCES.values() for name in names) | {
    "connector_prompt_embeds",
    "connector_audio_prompt_embeds",
    "connector_attention_mask",
}
"""All names under which a pipeline's state holds what becomes of the prompt's text."""

_WITHOUT_ROWS = frozenset({"txt_ids"})


@dataclass(frozen=True, eq=False)
class EncodedConcepts:
    """The concepts of one batch of images.

    Attributes:
        texts: The concept texts of each prompt; none for plain guidance.
        fields: For the k-th concept of all prompts at once, by the names of `TEXTS`, one row per prompt or image. The
            rows of prompts with fewer concepts are evaluated but not used.
        scheduler: The pipeline's scheduler; None counts as one of eps predictions.
        predicts_x0: Whether the pipeline hands over x0 predictions.
    """

    texts: tuple[tuple[str, ...], ...]
    fields: tuple[Mapping[str, Any], ...]
    scheduler: Any = None
    predicts_x0: bool = False

    def __post_init__(self) -> None:
        most = max((len(names) for names in self.texts), default=0)
        if most > len(self.fields):
            raise InvalidArgument("fields", f"must be as many encodings as concepts ({most})", len(self.fields))

    @property
    def most(self) -> int:
        """The largest number of concepts of an image."""
        return max((len(names) for names in self.texts), default=0)

    def texts_of(self, rows: int) -> tuple[tuple[str, ...], ...]:
        """Return the concept texts of each image: all images of a prompt before the next prompt.

        Raises:
            InvalidArgument: The number of images is no multiple of the number of prompts.
        """
        if not self.texts or rows % len(self.texts):
            raise InvalidArgument("concepts", f"must be one list per prompt (of {rows} images)", len(self.texts))
        return tuple(names for names in self.texts for _ in range(rows // len(self.texts)))

    def conditioning(self, k: int, cond: Mapping[str, Any], names: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        """Return what the denoiser gets for the k-th concepts where it gets other values for the prompts.

        Args:
            k: The concept's number.
            cond: The denoiser's fields for the prompts.
            names: What each field is called in the state.

        Raises:
            InvalidArgument: No field of the denoiser takes text, so that a concept could not differ from the prompt.
        """
        replaced: dict[str, Any] = {}
        for field, sources in names.items():
            source = next((name for name in sources if name in self.fields[k]), None)
            if source is not None and cond.get(field) is not None:
                value = self.fields[k][source]
                value = _vision_mask(value, cond) if field == "img_mask" else value
                replaced[field] = _like(field, value, cond[field])
        if not replaced:
            rule = f"must hold what the denoiser reads ({', '.join(names)})"
            raise InvalidArgument("fields", rule, [*self.fields[k]])
        return replaced


def fields_of(texts: Sequence[Sequence[str]], embeds: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the encoding of the k-th concepts of all prompts, for each k, from that of each concept.

    Args:
        texts: The concepts of each prompt.
        embeds: Concept text -> its encoding, one row, by the names that the pipeline has for it.

    Raises:
        InvalidArgument: A concept has no encoding, or not of the length of the others of its number.
    """
    if missing := [text for names in texts for text in names if text not in embeds]:
        raise InvalidArgument("concept_embeds", "must hold every concept", [*embeds], f"add {missing[0]!r}")
    found: list[dict[str, Any]] = []
    for k in range(max((len(names) for names in texts), default=0)):
        filler = next(names[k] for names in texts if k < len(names))
        rows = [embeds[names[k] if k < len(names) else filler] for names in texts]
        found.append({name: _rows([row[name] for row in rows]) for name in rows[0]})
    return found


def _rows(values: Sequence[Any]) -> Any:
    if isinstance(values[0], list | tuple):
        return [item for value in values for item in value]
    if len({value.shape[1:] for value in values}) > 1:
        rule = "must be of one length for the concepts of several prompts"
        raise InvalidArgument("concept_embeds", rule, [tuple(value.shape) for value in values], "pad them")
    return torch.cat(list(values))


def _like(field: str, value: Any, cond: Any) -> Any:
    """Return a concept's value as the prompts' value is: repeated for the images of a prompt, on the same device."""
    if isinstance(value, list | tuple):
        return [_like("", item, cond[0]) for item in value for _ in range(len(cond) // len(value))]
    moved = value.to(device=cond.device, dtype=cond.dtype)
    if not field or field in _WITHOUT_ROWS or len(value) == len(cond):
        return moved
    return moved.repeat_interleave(len(cond) // len(value), dim=0)


def _vision_mask(pad_mask: Tensor, cond: Mapping[str, Any]) -> Tensor:
    """Return Qwen-Image 2.1's mask of vision positions: those of the text, then the picture's own."""
    own = cond["img_mask"][:, cond["encoder_hidden_states"].shape[1] :]
    return torch.cat([pad_mask.repeat_interleave(len(own) // len(pad_mask), dim=0), own.to(pad_mask)], dim=1)
