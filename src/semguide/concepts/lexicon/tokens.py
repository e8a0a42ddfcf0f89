"""A prompt as words and marks with exact character offsets, whatever markup stands in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

_HTML: Final = "a|b|i|u|s|p|br|hr|em|strong|span|div|sub|sup|li|ul|ol|td|tr|th|table|img|font|code|pre|html|body|script"
_MARKUP: Final = "|".join(
    (  # <b>, <lora:name:0.8>
        rf"</?(?:{_HTML})(?:\s[^<>]{{0,200}})?/?>|</[^<>]{{1,200}}>|<[^<>]{{1,40}}:[^<>]{{1,200}}>",
        r"https?://\S+|www\.\S+",
        r"[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64})+",
        r"#[0-9A-Fa-f]{6}\b",  # a colour
        r"&(?:[A-Za-z]{2,8}|#\d{1,7});",  # &amp;
        r"\b[fF] ?/ ?\d+(?:\. ?\d+)?|\b[fF] ?\d\. ?\d\b",  # f/2.8
        r"(?<!\S)--\w+(?:\s+[\d:.]+)?",  # --ar 16:9
        r"\\\([^()\\]{1,60}\\\)",  # the qualifier of a tag: bow \(weapon\)
        r"\b(?:BREAK|AND)\b",  # prompt chunks of other tools
        r"\b(?:score|rating|source|year|quality)_\w+",  # tags of training data
    )
)
_WEIGHT: Final = (  # (red:1.2), red++, [red]
    r":\s*[-+]?\d*\.?\d+(?=\s*[)\]}])|(?<=[\w)\]])(?:\+{1,9}|-{2,9})(?!\w)|[()\[\]{}]"
)
_WEIGHT_AFTER: Final = r"(?<=[)\]])\d*\.?\d+(?!\w)"
_PLURAL_POSSESSIVE: Final = r"(?<=s)['’](?= \w)"
_EMBEDDING: Final = r"<[\w|-]{1,60}>|\bembedding:\w(?:[\w/\\-]{0,100}\w)?(?:\.\w{1,20})*"  # <cat-toy>
_QUOTED: Final = (
    r"\"[^\"\n]{1,200}\"|“[^”\n]{1,200}”|(?<!\w)'(?:[^'\n]|(?<=\w)'(?=\w)){1,100}'(?!\w)"
    r"|‘(?:[^’\n]|(?<=\w)’(?=\w)){1,100}’(?!\w)"
)
_LETTER: Final = r"[^\W\d_][\u0300-\u036f]*"
_ENDED: Final = (
    r"(?: - (?=(?:[a-z]{2,20}ed|shaped|like|looking|style|fi|sized)\b))"  # "red - skinned", as some collections write
)
_TITLE: Final = r"\b(?:Dr|Mr|Mrs|Ms|St|Prof|Sgt|Capt|Jr|Sr)\.(?=\s[A-Z])|\b(?:[A-Z]\.){2,4}"
_WORD: Final = rf"{_TITLE}|(?:\d+-)?{_LETTER}(?:{_LETTER}|\d)*(?:(?:[-'’]|{_ENDED})(?:[^\W_][\u0300-\u036f]*)+)*"
_SPACED: Final = (  # "1 9 2 0 s", as some collections write
    r"(?<![\w.])\d(?: \d\b){1,5}(?! \d)(?: (?:s|k|mm|fps|mp|p|px|dpi)\b)?"
)
_MIXED: Final = (  # 1girl, 3D, 18th, 19th-century, 8k, 8 k
    rf"{_SPACED}|\d+(?:[.,:]\d+)*(?:(?:-?[^\W\d_])[^\W_]*(?:-[^\W_]+)*|\s[kK]\b|\s(?:mm|fps)\b)"
)
_NUMBER: Final = r"\d+(?:[.,:]\d+)*"
_TOKEN: Final = re.compile(
    rf"(?P<weighted>{_WEIGHT_AFTER})|(?P<markup>{_MARKUP})|(?P<possessive>{_PLURAL_POSSESSIVE})|(?P<embedding>{_EMBEDDING})|(?P<quoted>{_QUOTED})|(?P<word>{_WORD})|(?P<mixed>{_MIXED})"
    rf"|(?P<number>{_NUMBER})|(?P<weight>{_WEIGHT})|(?P<line>[\n\r\v\f\x85])|[^\s_]"
)
_POSSESSIVE: Final = re.compile(r"['’][sS]$")
_READABLE: Final = re.compile(r"^[\u0000-\u024f\u0300-\u036f\u1e00-\u1eff’]+$")  # Latin script
_NOT_POSSESSIVE: Final = frozenset({"it's", "that's", "there's", "he's", "she's", "let's"})
_WHOLLY: Final = 0.8  # a quotation longer than this share of the prompt is the prompt in quotation marks


class Kind(Enum):
    """What a token is before any word list is looked at."""

    WORD = auto()
    NUMBER = auto()
    POSSESSIVE = auto()
    QUOTED = auto()  # a text in quotation marks, whole
    WEIGHT = auto()  # a bracket, ":1.2" or "++"
    MARK = auto()


_KINDS: Final = {
    "number": Kind.NUMBER,
    "weight": Kind.WEIGHT,
    "weighted": Kind.WEIGHT,
    "quoted": Kind.QUOTED,
    "possessive": Kind.POSSESSIVE,
}


@dataclass(frozen=True, slots=True)
class Token:
    """A word, number, quotation or mark of the prompt: `prompt[start:end]`.

    Attributes:
        word: Its lower-case form.
        start: Its first character.
        end: The character after its last.
        kind: What it is.
        capital: Whether it begins with a capital letter and has small ones, as names have.
    """

    word: str
    start: int
    end: int
    kind: Kind
    capital: bool = False


def tokenize(prompt: str) -> list[Token]:
    """Splits a prompt into tokens with exact offsets.

    Markup, line ends, emoji, control characters and words outside the Latin script come back as marks, which end a
    phrase; an underscore counts as a space ("red_car").

    Returns:
        The tokens in order, without overlap.
    """
    return list(_scan(prompt, 0, len(prompt)))


def _scan(prompt: str, start: int, end: int) -> Iterator[Token]:
    position = start
    while (match := _TOKEN.search(prompt, position, end)) is not None:
        position = match.end()
        if match.lastgroup == "quoted" and len(match.group()) > _WHOLLY * len(prompt):
            yield Token(match.group()[0], match.start(), match.start() + 1, Kind.MARK)
            position = match.start() + 1
        else:
            yield from _tokens_of(match)


def _tokens_of(match: re.Match[str]) -> list[Token]:
    text, start, end = match.group(), match.start(), match.end()
    kind = _KINDS.get(match.lastgroup or "")
    if match.lastgroup == "mixed" and not any(char.isalpha() for char in text):
        return [Token(text, start, end, Kind.NUMBER)]
    if match.lastgroup in {"embedding", "mixed"}:
        return [Token(text.lower(), start, end, Kind.WORD)]
    if kind is not None:
        return [Token(text.lower(), start, end, kind)]
    if match.lastgroup != "word" or not _READABLE.match(text):
        return [Token(text if len(text) == 1 else "", start, end, Kind.MARK)]
    capital = text[0].isupper() and (len(text) == 1 or not text.isupper())
    tail = _POSSESSIVE.search(text)
    if tail is None or text.lower().replace("’", "'") in _NOT_POSSESSIVE:
        return [Token(text.lower().replace("’", "'"), start, end, Kind.WORD, capital)]
    middle = start + tail.start()
    owner = Token(text[: tail.start()].lower().replace("’", "'"), start, middle, Kind.WORD, capital)
    return [owner, Token("'s", middle, end, Kind.POSSESSIVE)]
