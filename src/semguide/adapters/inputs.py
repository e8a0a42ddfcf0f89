"""What a call of a steered pipeline asks for: prompts, their concepts, and warnings about both."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from semguide.concepts import as_concepts, decompose
from semguide.errors import InvalidArgument, SemguideWarning, notify
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
            notify("prompt_embeds cannot be decomposed, so plain guidance is used", "name some with {concepts}")
            return
        if not found:
            notify(
                f"no concept was found in the prompt {prompt!r}, so plain guidance is used for it",
                "name some with {concepts}",
            )


@dataclass(frozen=True)
class Truncation:
    """What no text encoder of a pipeline reads.

    Attributes:
        limit: Tokens of the encoder that reads furthest.
        cut: The end of the prompt.
        concepts: The concepts in it, and those that are too long on their own.
    """

    limit: int
    cut: str
    concepts: tuple[str, ...]

    @property
    def warning(self) -> SemguideWarning:
        """What to tell the user."""
        unread = ", ".join(map(repr, self.concepts))
        told = f"the text encoder reads {self.limit} tokens" + (f", which cuts off {self.cut!r}" if self.cut else "")
        return SemguideWarning(f"{told}; it does not know {unread}" if unread else told, "shorten the prompt")


@dataclass(frozen=True)
class TextReader:
    """A text encoder as far as it reads.

    Attributes:
        tokenizer: Its tokenizer.
        limit: The number of tokens, special ones included, after which a text is cut.
    """

    tokenizer: Any
    limit: int

    def knows(self, text: str) -> bool:
        """Say whether it knows a word of a text: an encoder that stands in for a missing one knows none."""
        tokens = self.tokenizer(text, add_special_tokens=False, verbose=False).input_ids
        return any(token != getattr(self.tokenizer, "unk_token_id", None) for token in tokens)

    def read(self, text: str) -> int:
        """Return how many characters of a text it reads, up to the last word that it reads whole."""
        if self._tokens(text) <= self.limit:
            return len(text)
        ends = [word.end() for word in re.finditer(r"\w+|[^\w\s]", text)]
        words = bisect_right(ends, self.limit, key=lambda end: self._tokens(text[:end]))
        return ends[words - 1] if words else 0

    def _tokens(self, text: str) -> int:
        return len(self.tokenizer(text, truncation=False, verbose=False).input_ids)


def text_readers(pipe: Any, tokenizers: Mapping[str, str | int], options: Mapping[str, Any]) -> list[TextReader]:
    """Return the text encoders of a pipeline that are there.

    Args:
        pipe: The pipeline.
        tokenizers: As in `PromptEncodingSpec`.
        options: The arguments of `encode_prompt`.
    """
    found: list[TextReader] = []
    for name, limit in tokenizers.items():
        reader: Any = getattr(pipe, name, None)
        tokenizer: Any = getattr(reader, "tokenizer", reader)  # a processor has one
        if hasattr(tokenizer, "model_max_length") and getattr(pipe, name.replace("tokenizer", "text_encoder"), 1):
            given = options.get(limit) if isinstance(limit, str) else limit
            found.append(TextReader(tokenizer, tokenizer.model_max_length if given is None else given))
    return found


def truncations(
    readers: Sequence[TextReader], prompts: Sequence[str | None], concepts: Sequence[Sequence[Concept]]
) -> list[Truncation]:
    """Return what the encoder that reads furthest does not read of each prompt, where it does not read everything.

    Args:
        readers: From `text_readers`.
        prompts: From `prompts_of`.
        concepts: Of each prompt.
    """
    found = [_truncation(readers, prompt, named) for prompt, named in zip(prompts, concepts, strict=True)]
    return [item for item in found if item is not None]


def _truncation(readers: Sequence[TextReader], prompt: str | None, concepts: Sequence[Concept]) -> Truncation | None:
    text = prompt if prompt is not None else ", ".join(concept.text for concept in concepts)
    readers = [reader for reader in readers if reader.knows(text)]
    if not readers:
        return None
    furthest = max(readers, key=lambda reader: reader.read(text))
    read = len(text) if prompt is None else furthest.read(text)

    def unread(concept: Concept) -> bool:
        if prompt is None or concept.span is None:
            return furthest.read(concept.text) < len(concept.text)
        return concept.span[1] > read

    cut, lost = text[read:].strip(), tuple(dict.fromkeys(concept.text for concept in concepts if unread(concept)))
    return Truncation(furthest.limit, cut, lost) if cut or lost else None


def warn_of_truncation(
    readers: Sequence[TextReader], prompts: Sequence[str | None], concepts: Sequence[Sequence[Concept]]
) -> None:
    """Warn of what no text encoder reads, in the prompts or of concepts on their own; arguments as of `truncations`."""
    for found in truncations(readers, prompts, concepts):
        notify(found.warning.message, found.warning.remedy)
