"""Noun phrases over tagged tokens: a small grammar, read left to right.

    phrase   = [determiner | number]... modifier... noun...  (["'s" modifier... noun...])...  [of bare-phrase]
    modifier = adjective | participle | adverb before one of them | modifier ("and" | ",") modifier

A verb or unknown word after a determiner or adjective is read as a noun ("a glasses", "a teddy bear").
"""

from __future__ import annotations

from collections.abc import Sequence

from semguide.concepts.lexicon import words
from semguide.concepts.lexicon.heads import OPENERS, last_noun
from semguide.concepts.lexicon.modifiers import skip_modifiers
from semguide.concepts.lexicon.starts import can_start
from semguide.concepts.lexicon.tagging import NOMINAL, Phrase, Sentence, Tag, is_known

_SENTENCE_ENDS = frozenset({"", ".", ";", "!", "?", ":"})
_MOST_OPENERS = 8  # of one phrase; keeps the time linear in the length of the prompt
_NAME_LINKS = frozenset({"of", "the"})


def find_phrases(sentence: Sentence) -> list[Phrase]:
    """All noun phrases of a sentence, in order, without overlap; "of" joins a container or partitive to its content."""
    phrases: list[Phrase] = []
    index = 0
    while index < len(sentence.tokens):
        phrase = _phrase_at(sentence, index)
        if phrase is not None:
            phrases.append(phrase)
        index = phrase.end if phrase else index + 1
    return _join_contents(sentence, phrases)


def _phrase_at(sentence: Sentence, start: int) -> Phrase | None:
    if not can_start(sentence, start):
        return None
    index = start
    while sentence.tag(index) in OPENERS and index < start + _MOST_OPENERS:
        index += 1
    opened = index > start
    index = skip_modifiers(sentence, index, opened)
    head = last_noun(sentence, start, index, opened)
    if head is None:
        return None
    while sentence.tag(head + 1) is Tag.POSSESSIVE:
        modified = skip_modifiers(sentence, head + 2, opened=True)
        owned = last_noun(sentence, start, modified, opened=True) if modified > 0 else None
        if owned is None or owned <= head + 1:
            break
        head = owned
    return Phrase(start, _name_end(sentence, start, head), head)


def _name_end(sentence: Sentence, start: int, head: int) -> int:
    """The end of a phrase whose noun is a name: "the Statue of Liberty", "Magic the Gathering"."""
    if (sentence.word(head), sentence.word(head + 1), sentence.word(head + 2)) in words.NAMES_WITH_OF:
        return head + 3
    link = head + 1
    while link < head + 3 and sentence.word(link) in _NAME_LINKS and not sentence.tokens[link].capital:
        link += 1
    first = (head == 0 or sentence.word(head - 1) in _SENTENCE_ENDS) and is_known(sentence.word(head))
    joined = link > head + 1 and (sentence.word(head + 1) == "the" or not (first and start == head))
    if not joined or not _is_capital(sentence, head) or not _is_capital(sentence, link):
        return head + 1
    while _is_capital(sentence, link + 1) and sentence.tag(link + 1) in NOMINAL:
        link += 1
    return link + 1


def _is_capital(sentence: Sentence, index: int) -> bool:
    return 0 <= index < len(sentence.tokens) and sentence.tokens[index].capital


def _join_contents(sentence: Sentence, phrases: Sequence[Phrase]) -> list[Phrase]:
    joined: list[Phrase] = []
    for phrase in phrases:
        owner = joined[-1] if joined else None
        if owner is not None and _holds(sentence, owner, phrase):
            partitive = sentence.word(owner.head) in words.PARTITIVES
            joined[-1] = Phrase(owner.start, phrase.end, phrase.head if partitive else owner.head, partitive)
        else:
            joined.append(phrase)
    return joined


def _holds(sentence: Sentence, owner: Phrase, content: Phrase) -> bool:
    if content.start != owner.end + 1 or sentence.word(owner.end) != "of":
        return False
    bare = sentence.tag(content.start) is not Tag.DETERMINER
    return bare and sentence.word(owner.end - 1) in words.PARTITIVES | words.CONTAINERS
