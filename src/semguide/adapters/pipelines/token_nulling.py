"""The conditioning of a prompt with some of its tokens nulled (arXiv 2603.10780, equation 11)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from semguide.adapters.pipelines.families.spec import PipelineSpec, PromptEncodingSpec
from semguide.adapters.pipelines.text_encoding import PromptConditioning
from semguide.adapters.pipelines.token_indices import content_places, phrase_places
from semguide.errors import InvalidArgument, UnsupportedPipeline
from semguide.types import Concept


def check_nulling(pipe: Any, architecture: PipelineSpec, embedded: bool) -> None:
    """Check that the tokens of a pipeline's prompts can be nulled for e(0).

    Args:
        pipe: The pipeline.
        architecture: Its row of the table.
        embedded: Whether the call makes no unconditional prediction.

    Raises:
        UnsupportedPipeline: They can't.
    """
    kind = type(pipe).__name__
    if not architecture.text.segments:
        raise UnsupportedPipeline(
            "rule nulls tokens of the prompt, so pipe must be of a family whose tokens semguide finds (Stable "
            f"Diffusion, SDXL, Stable Diffusion 3, Flux), got {kind}"
        )
    if embedded:
        raise UnsupportedPipeline(
            f"rule replaces the unconditional prediction, which {kind} does not make at its embedded guidance scale; "
            f"give {architecture.scale.arguments[0]} > 1"
        )


def degraded(
    pipe: Any,
    text: PromptEncodingSpec,
    prompt: PromptConditioning,
    words: str,
    concepts: Sequence[Concept],
    null_tokens: str,
) -> PromptConditioning:
    """Return a prompt's conditioning with e(0) made for the prompt with tokens nulled; as it is without concepts.

    Args:
        pipe: The pipeline.
        text: How it turns text into conditioning.
        prompt: The conditioning of prompt and negative prompt; the latter's tokens are the null ones.
        words: The prompt.
        concepts: Its concepts.
        null_tokens: "prompt" for all tokens that are not padding, "concepts" for those of the concepts' phrases.

    Raises:
        InvalidArgument: A concept to be nulled is not in the prompt.
    """
    if not concepts:
        return prompt
    name = next(iter(text.conditioning.values()))
    cond, mask = prompt.cond[name], torch.zeros(prompt.cond[name].shape[1], dtype=torch.bool)
    for tokenizer, start, stop in _segments(pipe, text, cond):
        if null_tokens == "concepts":
            places = _places(tokenizer, words, concepts)
        else:
            places = content_places(tokenizer, words, stop - start)
        mask[[start + place for place in places if start + place < stop]] = True
    nulled = torch.where(mask.to(cond.device)[None, :, None], prompt.uncond[name], cond)
    return PromptConditioning(prompt.cond, {**prompt.cond, name: nulled})


def _segments(pipe: Any, text: PromptEncodingSpec, embeds: Tensor) -> Iterator[tuple[Any, int, int]]:
    """Yield each tokenizer with the places of its tokens in embeddings "1 token channel"."""
    start, end = 0, embeds.shape[1]
    for name in text.segments:
        tokenizer = getattr(pipe, name)
        if tokenizer is not None:  # else its tokens are the same for all prompts
            stop = end if name == text.segments[-1] else start + tokenizer.model_max_length
            yield tokenizer, start, stop
            start = stop


def _places(tokenizer: Any, words: str, concepts: Sequence[Concept]) -> list[int]:
    spans = [concept.span for concept in concepts if concept.span is not None]
    missing = [concept.text for concept in concepts if concept.span is None]
    if missing:
        raise InvalidArgument(
            "concepts", "must be phrases of the prompt to be nulled in it", missing[0], 'use {degraded}="prompt"'
        )
    return [place for span in spans for place in phrase_places(tokenizer, words, span)]
