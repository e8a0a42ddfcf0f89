"""Whether a prompt is English: by the words it is made of, without a model of languages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from semguide.concepts.lexicon import words
from semguide.concepts.lexicon.tagging import is_given_name, is_known
from semguide.concepts.lexicon.tokens import Kind, Token

_FUNCTION_WORDS: Final = (
    words.DETERMINERS | words.PRONOUNS | words.PREPOSITIONS | words.AUXILIARIES | words.CONJUNCTIONS
) - words.SHARED
_FEW: Final = 2  # words that may be a name: "Hatsune Miku"
_WEIGHT: Final = 2.0  # of a function word, which tells more of a language than a noun
_TOLERANCE: Final = 6.0  # unknown words a known one where nothing speaks for another language
_LEANING: Final = frozenset(["a", "an", "in", "on", "at", "is", "to", "for", "as", "over", "under"])
_LEAN: Final = 0.15  # of a word that English shares with few languages
_SHORT: Final = 3  # letters of words that many languages have
_LATIN_END: Final = 0x0250
_SYLLABIC_START: Final = 0x2E80  # Chinese, Japanese, Korean: one sign is about a word


def is_english(prompt: str, tokens: Sequence[Token]) -> bool:
    """Whether a prompt reads as English.

    Function words of English are weighed against those of other languages, and words that the lexicon has against
    words that it has not; names, written with a capital letter, weigh half. One or two unknown words may be a name.
    """
    names = [token for token in tokens if token.kind is Kind.WORD]
    if not names or _is_other_script(prompt, names):
        return False
    english = foreign = known = unknown = 0.0
    for token in names:
        if token.word in _FUNCTION_WORDS:
            english += 1
        elif token.word in words.FOREIGN:
            foreign += 1
        elif token.word in words.SHARED or not token.word.isalpha():
            known += _LEAN * (token.word in _LEANING)
        elif not is_known(token.word) and is_given_name(token.word):  # "lisbon"
            continue
        elif is_known(token.word):
            known += 0.5 if len(token.word) <= _SHORT else 1
        else:
            unknown += 0.5 if token.capital and english else 1
    if foreign == 0:
        return len(names) <= _FEW or known + _WEIGHT * english > unknown / _TOLERANCE
    return known + _WEIGHT * english > unknown / _WEIGHT + _WEIGHT * foreign


def _is_other_script(prompt: str, names: Sequence[Token]) -> bool:
    """Whether more of the prompt stands in another script than in Latin letters."""
    letters = [char for char in prompt if char.isalpha() and ord(char) >= _LATIN_END]
    others = sum(2.0 if ord(char) >= _SYLLABIC_START else 0.2 for char in letters)
    return others > len(names)
