"""Text into conditioning, with the pipeline's own `encode_prompt`, one text at a time.

One at a time, because on a CPU the rows of a batch can differ from a batch of one in the last bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from semguide.adapters.architectures import Architecture
from semguide.errors import InvalidArgument

Conditioning = dict[str, Tensor]
"""Denoiser argument -> tensor, one row per concept."""


class ConceptEncoder:
    """Encodes concepts as the pipeline would encode them as prompts; a text met again is not encoded again."""

    def __init__(self, pipe: Any, architecture: Architecture, arguments: Mapping[str, Any]) -> None:
        self._pipe = pipe
        self._architecture = architecture
        self._options = _options(pipe, arguments)
        self._known: dict[str, Conditioning] = {}

    def encode(self, texts: Sequence[str]) -> Conditioning:
        """Return the conditioning of some concepts, at least one.

        Raises:
            InvalidArgument: The pipeline was loaded without its text encoder.
        """
        rows = [self._encode(text) for text in texts]
        return {name: torch.cat([row[name] for row in rows]) for name in rows[0]}

    def _encode(self, text: str) -> Conditioning:
        if text not in self._known:
            if all(getattr(self._pipe, name, None) is None for name in ("text_encoder", "text_encoder_2")):
                raise InvalidArgument("concepts need the text encoder of pipe, got None; load the pipeline with it")
            embeds = _encode_prompt(self._pipe, self._architecture, {"prompt": text}, self._options, negative=False)
            names = self._architecture.conditioning
            self._known[text] = {argument: embeds[name] for name, argument in names.items()}
        return self._known[text]


def with_prompts_encoded_apart(pipe: Any, architecture: Architecture, arguments: dict[str, Any]) -> dict[str, Any]:
    """Replace a list of prompts by its embeddings, so that none depends on the others.

    Args:
        pipe: The pipeline.
        architecture: Its architecture.
        arguments: The pipeline call's arguments.

    Returns:
        The same call with embeddings in the place of texts; unchanged where there are not several prompts, or where
        the pipeline will refuse the combination of arguments itself.
    """
    prompts = arguments.get("prompt")
    if not isinstance(prompts, list) or len(prompts) < 2 or arguments.get("prompt_embeds") is not None:
        return arguments
    inputs = {name: arguments.get(name) for name in (*architecture.texts, *architecture.embeds)}
    if not all(_one_per_prompt(value, len(prompts), architecture) for value in inputs.values()):
        return arguments
    options = _options(pipe, arguments)
    rows = [_encode_prompt(pipe, architecture, _item(inputs, i), options, negative=True) for i in range(len(prompts))]
    embeds = {name: torch.cat([row[name] for row in rows]) for name in architecture.embeds}
    return {**{k: v for k, v in arguments.items() if k not in architecture.texts}, **embeds}


def _one_per_prompt(value: Any, count: int, architecture: Architecture) -> bool:
    if value is None or isinstance(value, str):
        return value is None or architecture.broadcasts_negative
    return isinstance(value, list | Tensor) and len(value) == count


def _item(inputs: Mapping[str, Any], index: int) -> dict[str, Any]:
    """Return the arguments of one prompt."""
    chosen: dict[str, Any] = {}
    for name, value in inputs.items():
        if isinstance(value, Tensor):
            chosen[name] = value[index : index + 1]
        elif value is not None:
            chosen[name] = value if isinstance(value, str) else value[index]
    return chosen


def _options(pipe: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the pipeline call says about text encoding."""
    return {
        "device": pipe._execution_device,
        "num_images_per_prompt": 1,
        "lora_scale": (arguments.get("cross_attention_kwargs") or {}).get("scale"),
        "clip_skip": arguments.get("clip_skip"),
    }


def _encode_prompt(
    pipe: Any, architecture: Architecture, inputs: Mapping[str, Any], options: Mapping[str, Any], *, negative: bool
) -> dict[str, Tensor]:
    with torch.no_grad():
        embeds = pipe.encode_prompt(**inputs, **options, do_classifier_free_guidance=negative)
    return dict(zip(architecture.embeds, embeds, strict=True))
