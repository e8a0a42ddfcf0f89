"""Who has what: "a cat with a red hat and a dog with a blue collar" gives the hat to the cat, the collar to the dog."""

from __future__ import annotations

from collections.abc import Sequence

from semguide.concepts.lexicon import nouns, words
from semguide.concepts.lexicon.tagging import Phrase, Sentence, Tag

_HAVING = words.HAVING - {"in", "and"}
_BETWEEN = frozenset({Tag.ADVERB, Tag.OTHER})  # "a cat that is wearing a hat"


def wholes(sentence: Sentence, phrases: Sequence[Phrase]) -> dict[Phrase, Phrase]:
    """The phrase that each part or garment belongs to; phrases that are no part of another are left out."""
    found: dict[Phrase, Phrase] = {}
    for order, phrase in enumerate(phrases):
        before = phrases[order - 1] if order else None
        if before is None or sentence.word(phrase.head) not in nouns.PARTS:
            continue
        owner = _owner(sentence, before, phrase, found)
        if owner is not None:
            found[phrase] = owner
    return found


def _owner(sentence: Sentence, before: Phrase, phrase: Phrase, found: dict[Phrase, Phrase]) -> Phrase | None:
    link = range(before.end, phrase.start)
    names = [sentence.word(i) for i in link]
    if names and all(sentence.tag(i) in {Tag.CONJUNCTION, Tag.COMMA} for i in link):
        return found.get(before)  # "with a hat and a scarf"
    having = bool(names) and (names[-1] in _HAVING or (names[-1] == "of" and "with" in names))
    if having and all(sentence.tag(i) in _BETWEEN or sentence.word(i) in _HAVING for i in link):
        return found.get(before, before) if names[-1] == "wearing" else before
    dressed = len(names) == 1 and names[0] == "in" and sentence.word(phrase.head) in nouns.GARMENTS
    return before if dressed else None
