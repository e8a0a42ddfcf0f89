"""Whether a phrase can start at a word, or the word is the verb of its clause."""

from __future__ import annotations

from semguide.concepts.lexicon import words
from semguide.concepts.lexicon.heads import ACTIONS, AFTER_VERB
from semguide.concepts.lexicon.modifiers import BARE_VERBS, MODIFIERS, reaches_noun
from semguide.concepts.lexicon.tagging import NOMINAL, VERBAL, Sentence, Tag, counted_noun

_STARTS = frozenset({Tag.DETERMINER, Tag.NUMBER, Tag.ADJECTIVE}) | NOMINAL
_SENTENCE_ENDS = frozenset({"", ".", ";", "!", "?", ":"})
_RELATIVES = frozenset({"which", "that", "who"})
_DEMONSTRATIVES = frozenset({"this", "these", "those"})


def can_start(sentence: Sentence, index: int) -> bool:
    """Whether a noun phrase can begin at `index`."""
    tag = sentence.tag(index)
    if tag in BARE_VERBS:
        return _starts_with_verb(sentence, index)
    if tag is Tag.ADVERB:
        return _starts_with_adverb(sentence, index)
    if tag is Tag.NUMBER:  # not the "5" of "engine 5"
        return sentence.word(index).isalpha() or sentence.tag(index - 1) not in NOMINAL
    if tag is Tag.DETERMINER and sentence.word(index) in _DEMONSTRATIVES:
        return sentence.word(index + 1) not in words.ACTIONS or sentence.tag(index + 2) not in AFTER_VERB
    may_be_verb = tag in NOMINAL and not counted_noun(sentence.word(index))
    return tag in _STARTS and not (may_be_verb and _is_verb_at_start(sentence, index))


def _is_verb_at_start(sentence: Sentence, index: int) -> bool:
    """Whether a noun-like word that no article opens is the verb of its clause."""
    before, previous, following = sentence.word(index - 1), sentence.tag(index - 1), sentence.tag(index + 1)
    if before == "to" and _is_infinitive(sentence, index):
        return True
    if before in words.OBJECTS or previous in NOMINAL:  # "making it move", "a dog barks", "the area features a table"
        return True
    if before in {"been", "being"} or _is_relative_verb(sentence, index) or _goes_on(sentence, index):
        return True
    verbs = VERBAL | {Tag.COMMA, Tag.OTHER, Tag.ADVERB}
    return following is Tag.DETERMINER and previous in verbs and before not in _SENTENCE_ENDS


def _is_relative_verb(sentence: Sentence, index: int) -> bool:
    """Whether a relative clause begins with the word: "which contrasts with", "that blends old woods"."""
    before, following = sentence.word(index - 1), sentence.tag(index + 1)
    if before not in _RELATIVES:
        return False
    described = following in NOMINAL | {Tag.ADJECTIVE} and sentence.tag(index) is Tag.PLURAL and before != "who"
    return following in AFTER_VERB or sentence.word(index + 1) in words.OBJECTS or described


def _goes_on(sentence: Sentence, index: int) -> bool:
    """Whether a clause goes on with the word: "the palace, built of stone, stands in", "lying face down"."""
    word, after = sentence.word(index), sentence.word(index + 1)
    acts = word in ACTIONS and sentence.tag(index + 1) in AFTER_VERB and after != "of"
    return (acts and sentence.tag(index - 1) is Tag.COMMA) or (word == "face" and after in {"up", "down"})


def _starts_with_adverb(sentence: Sentence, index: int) -> bool:
    """Whether an adverb opens a phrase: "with freshly sharpened tips"."""
    described = sentence.word(index).endswith("ly") or sentence.word(index) in {"very", "extremely"}
    before = VERBAL - {Tag.PARTICIPLE} | {Tag.PREPOSITION, Tag.CONJUNCTION}  # "carrying freshly baked bread"
    opens = sentence.tag(index - 1) in before or _opens_segment(sentence, index)
    return described and opens and sentence.tag(index + 1) in MODIFIERS and reaches_noun(sentence, index + 1)


def _starts_with_verb(sentence: Sentence, index: int) -> bool:
    """Whether a participle opens a phrase: "in tattered clothes", "with drooping shoulders", ", parted lips"."""
    described = sentence.tag(index + 1) in {Tag.GERUND, Tag.PARTICIPLE} and sentence.tag(index + 2) in NOMINAL
    if sentence.tag(index + 1) not in NOMINAL | {Tag.ADJECTIVE} and not described:
        return _starts_with_two(sentence, index)
    tag, word, before = sentence.tag(index), sentence.word(index), sentence.word(index - 1)
    opens = _opens_segment(sentence, index)
    if tag is Tag.PARTICIPLE:
        return opens or before in {"and", ","} or sentence.tag(index - 1) is Tag.PREPOSITION
    if tag is Tag.PAST_VERB:
        return opens and index > 0
    if word in words.INTRANSITIVE:
        return opens or before in {"and", ","} or sentence.tag(index - 1) in {Tag.PREPOSITION, Tag.GERUND}
    return (opens or before == "with") and word not in words.TRANSITIVE


def _starts_with_two(sentence: Sentence, index: int) -> bool:
    """Whether two participles open a phrase: "Torn and faded flags"."""
    two = sentence.word(index + 1) == "and" and sentence.tag(index + 2) in {Tag.PARTICIPLE, Tag.ADJECTIVE}
    return two and _opens_segment(sentence, index) and sentence.tag(index + 3) in NOMINAL | {Tag.ADJECTIVE}


def _opens_segment(sentence: Sentence, index: int) -> bool:
    """Whether a mark stands before `index`, other than a comma in prose, which goes on with the clause."""
    return index == 0 or (sentence.tag(index - 1) is Tag.OTHER and not sentence.word(index - 1).isalpha())


def _is_infinitive(sentence: Sentence, index: int) -> bool:
    return sentence.tag(index + 1) is Tag.DETERMINER or sentence.word(index + 1) in words.PRONOUNS
