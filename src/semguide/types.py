"""Value types shared by every room."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Position = Literal["left", "right", "above", "below"]
"""Where one thing lies as seen from another."""


@dataclass(frozen=True, slots=True)
class Concept:
    """One subject concept of a prompt: a noun phrase such as "a red book".

    Attributes:
        text: The phrase as it stands in the prompt, determiner included, without the weights of prompt syntaxes
            ("a (red:1.2) car" gives "a red car"); this is what the text encoder reads. The token of a textual inversion
            ("<cat-toy>") stays in it.
        span: Offsets in the prompt of the first character of `text` and after its last, weights between them
            included; None if it is not part of the prompt.
        head: The head noun, lower case, as written: "book".
        attributes: Adjectives and noun modifiers before the head, lower case, in order: ("red",).
        count: How many are asked for: 1 for "a" or "an", 3 for "three"; None where the prompt does not say.
        part_of: The `text` of the concept that this one belongs to, as "a red hat" to "a cat" in "a cat with a red
            hat"; None where the prompt does not say so.
    """

    text: str
    span: tuple[int, int] | None = None
    head: str = ""
    attributes: tuple[str, ...] = ()
    count: int | None = None
    part_of: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the concept as JSON values, `part_of` only where there is one, as files of 0.1.0 have it."""
        return {name: value for name, value in asdict(self).items() if name != "part_of" or value is not None}
