"""What a call of a steered pipeline asks for: prompts, their concepts, and warnings about both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from semguide.concepts import as_concepts, decompose
from semguide.errors import InvalidArgument, notify
from semguide.types import Concept

_SEQUENCES = (list, tuple)


def prompts_of(arguments: Mapping[str, Any], embeds_name: str = "prompt_embeds") -> list[str | None]:
    """Return one entry per prompt of a pipeline call; None for prompts that are given as embeddings.

    Args:
        arguments: Of the call.
        embeds_name: The argument that takes embeddings in the place of prompts.

    Raises:
        InvalidArgument: There is no prompt, or it is neither text nor a list of texts.
    """
    prompt, embeds = arguments.get("prompt"), arguments.get(embeds_name)
    if prompt is None and embeds is not None:
        return [None] * len(embeds)
    if isinstance(prompt, str):
        return [prompt]
    if not isinstance(prompt, list) or not prompt or not all(isinstance(item, str) for item in prompt):
        raise InvalidArgument("prompt", f"must be a text or a list of texts (or give {{{embeds_name}}})", prompt)
    return list(prompt)


def concepts_of(prompts: Sequence[str | None], given: Any, decomposer: Any) -> list[list[Concept]]:
    """Return the concepts of each prompt.

    Args:
        prompts: From `prompts_of`.
        given: The caller's choice: None, one list for all prompts, or one list per prompt.
        decomposer: The back end that reads the prompts where there is no choice.

    Raises:
        InvalidArgument: The choice is no list, or there are not as many lists as prompts.
    """
    if given is None:
        return [[] if prompt is None else decompose(prompt, decomposer) for prompt in prompts]
    if not isinstance(given, _SEQUENCES):
        raise InvalidArgument("concepts", 'must be a list such as ["a red book", "a yellow vase"]', given)
    if not any(isinstance(item, _SEQUENCES) for item in given):
        given = [given] * len(prompts)
    if len(given) != len(prompts):
        raise InvalidArgument("concepts", f"must be one list per prompt ({len(prompts)} lists)", len(given))
    return [as_concepts(items, prompt) for items, prompt in zip(given, prompts, strict=True)]


def warn_of_missing(prompts: Sequence[str | None], concepts: Sequence[Sequence[Concept]]) -> None:
    """Warn of prompts in which no concept was found: they run with plain classifier-free guidance."""
    for prompt, found in zip(prompts, concepts, strict=True):
        if not found and prompt is None:
            notify("prompt_embeds cannot be decomposed, so plain guidance is used", "name the concepts in {concepts}")
            return
        if not found:
            notify(
                f"no concept was found in the prompt {prompt!r}, so plain guidance is used for it",
                "name the concepts in {concepts}",
            )


def warn_of_truncation(
    tokenizer: Any, limit: int | None, prompts: Sequence[str | None], concepts: Sequence[Sequence[Concept]]
) -> None:
    """Warn of concepts that the text encoder does not read to the end, in the prompt or on their own.

    Args:
        tokenizer: Of the encoder that reads furthest; None where there is none to ask.
        limit: The number of tokens after which the pipeline cuts, None where only the tokenizer does.
        prompts: From `prompts_of`.
        concepts: Of each prompt.
    """
    if tokenizer is None:
        return
    longest = min(tokenizer.model_max_length, tokenizer.model_max_length if limit is None else limit)
    for prompt, found in zip(prompts, concepts, strict=True):
        cut = [concept.text for concept in found if _tokens(tokenizer, _read_to(prompt, concept)) > longest]
        if cut:
            notify(
                f"the text encoder reads {longest} tokens, so the prompt's guidance does not know "
                f"{', '.join(repr(text) for text in dict.fromkeys(cut))}",
                "shorten the prompt",
            )


def _read_to(prompt: str | None, concept: Concept) -> str:
    """Return the prompt up to the end of the concept, or the concept where it is not in the prompt."""
    return concept.text if prompt is None or concept.span is None else prompt[: concept.span[1]]


def _tokens(tokenizer: Any, text: str) -> int:
    return len(tokenizer(text, truncation=False, verbose=False).input_ids)
