"""A prompt as words and marks with exact character offsets, whatever markup stands in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

_MARKUP = "|".join(
    (
        r"<[^<>]{1,200}>",  # <lora:name:0.8>, <b>
        r"https?://\S+|www\.\S+",
        r"[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64})+",
        r"&(?:[A-Za-z]{2,8}|#\d{1,7});",  # &amp;
        r":\s*\d+(?:\.\d+)?(?=\s*[)\]}])",  # the weight of (red car:1.3)
        r"(?<!\S)--\w+(?:\s+[\d:.]+)?",  # --ar 16:9
        r"\b(?:BREAK|AND)\b",  # prompt chunks of other tools
    )
)
_LETTER = r"[^\W\d_][\u0300-\u036f]*"
_WORD = rf"(?:\d+-)?(?:{_LETTER})+(?:[-'’](?:[^\W_][\u0300-\u036f]*)+)*"
_NUMBER = r"\d+(?:[.,:]\d+)*[^\W_]*"
_TOKEN = re.compile(rf"(?P<markup>{_MARKUP})|(?P<word>{_WORD})|(?P<number>{_NUMBER})|(?P<line>[\n\r\v\f\x85])|[^\s_]")
_POSSESSIVE = re.compile(r"['’][sS]$")
_READABLE = re.compile(r"^[\u0000-\u024f\u0300-\u036f\u1e00-\u1eff’]+$")  # Latin script


class Kind(Enum):
    """What a token is before any word list is looked at."""

    WORD = auto()
    NUMBER = auto()
    POSSESSIVE = auto()
    MARK = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """A word, number or mark of the prompt: `prompt[start:end]`; `word` is its lower-case form."""

    word: str
    start: int
    end: int
    kind: Kind


def tokenize(prompt: str) -> list[Token]:
    """Splits a prompt into tokens with exact offsets.

    Markup, line ends, emoji, control characters and words outside the Latin script come back as marks, which end a
    phrase; an underscore counts as a space ("red_car").

    Returns:
        The tokens in order, without overlap.
    """
    tokens: list[Token] = []
    for match in _TOKEN.finditer(prompt):
        tokens.extend(_tokens_of(match))
    return tokens


def _tokens_of(match: re.Match[str]) -> list[Token]:
    text, start, end = match.group(), match.start(), match.end()
    if match.lastgroup == "number":
        return [Token(text.lower(), start, end, Kind.NUMBER)]
    if match.lastgroup != "word" or not _READABLE.match(text):
        return [Token(text if len(text) == 1 else "", start, end, Kind.MARK)]
    tail = _POSSESSIVE.search(text)
    if tail is None or text.lower().replace("’", "'") in {"it's", "that's", "there's", "he's", "she's", "let's"}:
        return [Token(text.lower().replace("’", "'"), start, end, Kind.WORD)]
    middle = start + tail.start()
    return [Token(text[: tail.start()].lower(), start, middle, Kind.WORD), Token("'s", middle, end, Kind.POSSESSIVE)]
