"""The conditioning of a prompt with some of its tokens nulled (arXiv 2603.10780, equation 11)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch

from semguide.adapters.inputs import conversion_of
from semguide.adapters.pipelines.families.spec import PipelineSpec, PromptEncodingSpec
from semguide.adapters.pipelines.text_encoding import PromptConditioning
from semguide.errors import InvalidArgument, UnsupportedPipeline
from semguide.types import Concept


def check_nulling(pipe: Any, spec: PipelineSpec, embedded: bool) -> None:
    """Check that the tokens of a pipeline's prompts can be nulled for e(0).

    Args:
        pipe: The pipeline.
        spec: Its family's spec.
        embedded: Whether the call makes no unconditional prediction.

    Raises:
        UnsupportedPipeline: They can't.
    """
    kind = type(pipe).__name__
    if not spec.text.segments:
        raise UnsupportedPipeline(
            "rule nulls tokens of the prompt, so pipe must be of a family whose tokens semguide finds (Stable "
            f"Diffusion, SDXL, Stable Diffusion 3, Flux), got {kind}"
        )
    if embedded:
        raise UnsupportedPipeline(
            f"rule replaces the unconditional prediction, which {kind} does not make at its embedded guidance scale; "
            f"give {spec.scale.arguments[0]} > 1"
        )


def with_tokens_nulled(
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
    for tokenizer, start, stop in token_segments(pipe, text, cond.shape[1]):
        if null_tokens == "concepts":
            indices = _concept_indices(tokenizer, words, concepts)
        else:
            indices = content_indices(tokenizer, words, stop - start)
        mask[[start + index for index in indices if start + index < stop]] = True
    nulled = torch.where(mask.to(cond.device)[None, :, None], prompt.uncond[name], cond)
    return PromptConditioning(prompt.cond, {**prompt.cond, name: nulled})


def token_segments(pipe: Any, text: PromptEncodingSpec, length: int) -> Iterator[tuple[Any, int, int]]:
    """Yield each tokenizer with the indices, start and end, of its tokens among the `length` of the conditioning."""
    start, end = 0, length
    for name in text.segments:
        tokenizer = getattr(pipe, name)
        if tokenizer is not None:  # else its tokens are the same for all prompts
            stop = end if name == text.segments[-1] else start + tokenizer.model_max_length
            yield prompt_tokenizer(pipe, tokenizer), start, stop
            start = stop


def prompt_tokenizer(pipe: Any, tokenizer: Any) -> Any:
    """Return a tokenizer of a pipeline as it reads prompts: with the tokens of textual inversions written out."""
    convert = conversion_of(pipe, tokenizer)

    def tokens_of(text: str, **options: Any) -> Any:
        return tokenizer(convert(text), **options)

    return tokens_of


def _concept_indices(tokenizer: Any, words: str, concepts: Sequence[Concept]) -> list[int]:
    spans = [concept.span for concept in concepts if concept.span is not None]
    missing = [concept.text for concept in concepts if concept.span is None]
    if missing:
        raise InvalidArgument(
            "concepts", "must be phrases of the prompt to be nulled in it", missing[0], 'use {degraded}="prompt"'
        )
    return [index for span in spans for index in phrase_indices(tokenizer, words, span)]


def content_indices(tokenizer: Any, text: str, length: int) -> list[int]:
    """Return the indices of the tokens that are not padding: words, start and end.

    Args:
        tokenizer: Of transformers.
        text: The prompt.
        length: The number of tokens to which it is padded or cut.
    """
    mask = tokenizer(text, padding="max_length", max_length=length, truncation=True).attention_mask
    return [index for index, content in enumerate(mask) if content]


def phrase_indices(tokenizer: Any, text: str, span: tuple[int, int]) -> range:
    """Return the indices of the tokens of a phrase, in the text as it is encoded with its special tokens.

    Args:
        tokenizer: Of transformers.
        text: The prompt.
        span: Start and end of the phrase in it, at the edges of words.

    Raises:
        InvalidArgument: The phrase has no token of its own.
    """
    found = own_indices(tokenizer, text, span)
    if not found:
        raise InvalidArgument("concepts", "must have tokens of their own in the prompt", text[slice(*span)])
    return found


def own_indices(tokenizer: Any, text: str, span: tuple[int, int]) -> range:
    """Return what `phrase_indices` does, empty where the phrase has no token of its own."""
    start, end = (len(_words(tokenizer, text[:edge].rstrip())) for edge in span)
    before = _specials_before(tokenizer, text)
    return range(before + start, before + end)


def _words(tokenizer: Any, text: str) -> list[int]:
    return tokenizer(text, add_special_tokens=False, verbose=False).input_ids


def _specials_before(tokenizer: Any, text: str) -> int:
    """Return the number of special tokens before those of the text."""
    whole, words = tokenizer(text, verbose=False).input_ids, _words(tokenizer, text)
    return next(i for i in range(len(whole)) if whole[i : i + len(words)] == words)
