"""What a call of a steered pipeline asks for: prompts, their concepts, and warnings about both."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from semguide.concepts import as_concepts, decompose, why_none
from semguide.concepts.budget import MAX_CONCEPTS, Choice, choose
from semguide.errors import InvalidArgument, SemguideWarning, notify, shown
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


def concepts_of(
    prompts: Sequence[str | None],
    given: Any,
    decomposer: Any,
    max_concepts: int = MAX_CONCEPTS,
    readers: Sequence[TextReader] = (),
) -> list[Choice]:
    """Return the concepts of each prompt; of those found in it, the ones that are read and within the budget.

    Args:
        prompts: From `prompts_of`.
        given: The caller's choice, which is kept whole: None, one list for all prompts, or one list per prompt.
        decomposer: The back end that reads the prompts where there is no choice.
        max_concepts: How many of the concepts found in a prompt to keep, >= 1.
        readers: The text encoders, from `text_readers`; without any, all concepts count as read.

    Raises:
        InvalidArgument: The choice is no list, or there are not as many lists as prompts.
    """
    if given is None:
        return [
            Choice() if prompt is None else choose_read(prompt, decompose(prompt, decomposer), max_concepts, readers)
            for prompt in prompts
        ]
    if not isinstance(given, _SEQUENCES):
        raise InvalidArgument("concepts", 'must be a list such as ["a red book", "a yellow vase"]', given)
    if not any(isinstance(item, _SEQUENCES) for item in given):
        given = [given] * len(prompts)
    if len(given) != len(prompts):
        raise InvalidArgument("concepts", f"must be one list per prompt ({len(prompts)} lists)", len(given))
    return [Choice(tuple(as_concepts(items, prompt))) for items, prompt in zip(given, prompts, strict=True)]


def choose_read(prompt: str, found: Sequence[Concept], max_concepts: int, readers: Sequence[TextReader]) -> Choice:
    """Return what `choose` keeps of the concepts of a prompt that its text encoders read; arguments as there."""
    window = _window(readers, prompt, found)
    return choose(prompt, found, max_concepts, None if window is None else window.reads)


def warn_of_left_out(prompts: Sequence[str | None], choices: Sequence[Choice]) -> None:
    """Warn of concepts that are left out, and of prompts without any, which run with plain guidance.

    Args:
        prompts: From `prompts_of`.
        choices: From `concepts_of`, none of them the caller's.
    """
    for prompt, choice in zip(prompts, choices, strict=True):
        if prompt is None:
            notify("prompt_embeds cannot be decomposed, so plain guidance is used", "name some with {concepts}")
            return
        if (warning := choice.warning) is not None:
            notify(warning.message, warning.remedy)
        elif not choice.kept:
            notify(f"{why_none(prompt, looked=True)} (plain guidance is used for {shown(prompt)})")


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
        converted: What the pipeline makes of a text first: the tokens of a textual inversion in several vectors.
    """

    tokenizer: Any
    limit: int
    converted: Callable[[str], str] = str

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
        return len(self.tokenizer(self.converted(text), truncation=False, verbose=False).input_ids)


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
            length = tokenizer.model_max_length if given is None else given
            found.append(TextReader(tokenizer, length, conversion_of(pipe, tokenizer)))
    return found


def conversion_of(pipe: Any, tokenizer: Any) -> Callable[[str], str]:
    """Return what writes out the tokens of a text that are textual inversions in several vectors, as the pipeline does.

    Args:
        pipe: The pipeline.
        tokenizer: One of its tokenizers.
    """
    convert = getattr(pipe, "maybe_convert_prompt", None)
    return str if convert is None else partial(convert, tokenizer=tokenizer)


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


@dataclass(frozen=True)
class _Window:
    """What the encoder that reads furthest reads of a prompt: its first `end` characters; None if it is no text."""

    reader: TextReader
    end: int | None

    def reads(self, concept: Concept) -> bool:
        if self.end is None or concept.span is None:
            return self.reader.read(concept.text) >= len(concept.text)
        return concept.span[1] <= self.end


def _window(readers: Sequence[TextReader], prompt: str | None, concepts: Sequence[Concept]) -> _Window | None:
    text = prompt if prompt is not None else ", ".join(concept.text for concept in concepts)
    readers = [reader for reader in readers if reader.knows(text)]
    if not readers:
        return None
    furthest = max(readers, key=lambda reader: reader.read(text))
    return _Window(furthest, None if prompt is None else furthest.read(prompt))


def _truncation(readers: Sequence[TextReader], prompt: str | None, concepts: Sequence[Concept]) -> Truncation | None:
    window = _window(readers, prompt, concepts)
    if window is None:
        return None
    cut = "" if prompt is None else prompt[window.end :].strip()
    lost = tuple(dict.fromkeys(concept.text for concept in concepts if not window.reads(concept)))
    return Truncation(window.reader.limit, cut, lost) if cut or lost else None


def warn_of_truncation(
    readers: Sequence[TextReader], prompts: Sequence[str | None], concepts: Sequence[Sequence[Concept]]
) -> None:
    """Warn of what no text encoder reads, in the prompts or of concepts on their own; arguments as of `truncations`."""
    for found in truncations(readers, prompts, concepts):
        notify(found.warning.message, found.warning.remedy)
