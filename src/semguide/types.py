"""Value types shared by every room."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Concept:
    """One subject concept of a prompt: a noun phrase such as "a red book".

    Attributes:
        text: The phrase as it stands in the prompt, determiner included; this is what the text encoder reads.
        span: Start and end character offsets of `text` in the prompt (end excluded), or None if it is not part of it.
        head: The head noun, lower case, as written: "book".
        attributes: Adjectives and noun modifiers before the head, lower case, in order: ("red",).
        count: How many are asked for: 1 for "a" or "an", 3 for "three"; None where the prompt does not say.
    """

    text: str
    span: tuple[int, int] | None = None
    head: str = ""
    attributes: tuple[str, ...] = ()
    count: int | None = None
