"""Noun phrases over tagged tokens: a small grammar, read left to right.

    phrase   = [determiner | number]... modifier... noun...  (["'s" modifier... noun...])...  [of bare-phrase]
    modifier = adjective | participle | adverb before one of them | modifier ("and" | ",") modifier

A verb or unknown word after a determiner or adjective is read as a noun ("a glasses", "a teddy bear").
"""

from __future__ import annotations

from collections.abc import Sequence

from semguide.concepts.lexicon import words
from semguide.concepts.lexicon.tagging import NOMINAL, VERBAL, Phrase, Sentence, Tag, is_known

_MODIFIERS = frozenset({Tag.ADJECTIVE, Tag.PARTICIPLE, Tag.GERUND, Tag.PAST_VERB})
_STARTS = frozenset({Tag.DETERMINER, Tag.NUMBER, Tag.ADJECTIVE}) | NOMINAL
_OPENERS = frozenset({Tag.DETERMINER, Tag.NUMBER})
_AFTER_VERB = frozenset({Tag.DETERMINER, Tag.PREPOSITION, Tag.ADVERB})
_MOST_MODIFIERS = 16  # of one noun; keeps the time linear in the length of the prompt
_HEADLESS = frozenset({"other", "same", "next", "first", "last", "only", "such", "more", "most"})
_SENTENCE_ENDS = frozenset({"", ".", ";", "!", "?", ":"})
_RELATIVES = frozenset({"which", "that", "who"})
_ACTIONS = words.ACTIONS | words.ACTIONS_IN_S | {f"{action}s" for action in words.ACTIONS}
_NAME_LINKS = frozenset({"of", "the"})
_DEMONSTRATIVES = frozenset({"this", "these", "those"})
_BARE_VERBS = frozenset({Tag.PARTICIPLE, Tag.GERUND, Tag.PAST_VERB})


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
    if not _can_start(sentence, start):
        return None
    index = start
    while sentence.tag(index) in _OPENERS:
        index += 1
    opened = index > start
    index = _skip_modifiers(sentence, index, opened)
    head = _last_noun(sentence, start, index, opened)
    if head is None:
        return None
    while sentence.tag(head + 1) is Tag.POSSESSIVE:
        modified = _skip_modifiers(sentence, head + 2, opened=True)
        owned = _last_noun(sentence, start, modified, opened=True) if modified > 0 else None
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
    first = head == 0 or sentence.word(head - 1) in _SENTENCE_ENDS
    joined = link > head + 1 and (sentence.word(head + 1) == "the" or not (first and start == head))
    if not joined or not _is_capital(sentence, head) or not _is_capital(sentence, link):
        return head + 1
    while _is_capital(sentence, link + 1) and sentence.tag(link + 1) in NOMINAL:
        link += 1
    return link + 1


def _is_capital(sentence: Sentence, index: int) -> bool:
    return 0 <= index < len(sentence.tokens) and sentence.tokens[index].capital


def _can_start(sentence: Sentence, index: int) -> bool:
    tag = sentence.tag(index)
    if tag in _BARE_VERBS:
        return _starts_with_verb(sentence, index)
    if tag is Tag.ADVERB:
        return _starts_with_adverb(sentence, index)
    if tag is Tag.NUMBER:  # not the "5" of "engine 5"
        return sentence.tag(index - 1) not in NOMINAL
    if tag is Tag.DETERMINER and sentence.word(index) in _DEMONSTRATIVES:
        return sentence.word(index + 1) not in words.ACTIONS or sentence.tag(index + 2) not in _AFTER_VERB
    return tag in _STARTS and not (tag in NOMINAL and _is_verb_at_start(sentence, index))


def _is_verb_at_start(sentence: Sentence, index: int) -> bool:
    """Whether a noun-like word that no article opens is the verb of its clause."""
    before, previous, following = sentence.word(index - 1), sentence.tag(index - 1), sentence.tag(index + 1)
    if before == "to" and _is_infinitive(sentence, index):
        return True
    if before in words.OBJECTS or previous in NOMINAL:  # "making it move", "a dog barks", "the area features a table"
        return True
    if before in _RELATIVES and following in _AFTER_VERB:  # "which contrasts with"
        return True
    return following is Tag.DETERMINER and previous in VERBAL | {Tag.COMMA, Tag.OTHER} and before not in _SENTENCE_ENDS


def _starts_with_adverb(sentence: Sentence, index: int) -> bool:
    """Whether an adverb opens a phrase: "with freshly sharpened tips"."""
    described = sentence.word(index).endswith("ly") or sentence.word(index) in {"very", "extremely"}
    opens = sentence.tag(index - 1) in {Tag.PREPOSITION, Tag.CONJUNCTION} or _opens_segment(sentence, index)
    return described and opens and sentence.tag(index + 1) in _MODIFIERS and _reaches_noun(sentence, index + 1)


def _starts_with_verb(sentence: Sentence, index: int) -> bool:
    """Whether a participle opens a phrase: "in tattered clothes", "with drooping shoulders", ", parted lips"."""
    if sentence.tag(index + 1) not in NOMINAL | {Tag.ADJECTIVE}:
        return False
    tag, word, before = sentence.tag(index), sentence.word(index), sentence.word(index - 1)
    opens = _opens_segment(sentence, index)
    if tag is Tag.PARTICIPLE:
        return opens or before in {"and", ","} or sentence.tag(index - 1) is Tag.PREPOSITION
    if tag is Tag.PAST_VERB:
        return opens and index > 0
    if word in words.INTRANSITIVE:
        return opens or before in {"and", ","} or sentence.tag(index - 1) in {Tag.PREPOSITION, Tag.GERUND}
    return (opens or before == "with") and word not in words.TRANSITIVE


def _opens_segment(sentence: Sentence, index: int) -> bool:
    """Whether a mark stands before `index`, other than a comma in prose, which goes on with the clause."""
    return index == 0 or (sentence.tag(index - 1) is Tag.OTHER and not sentence.word(index - 1).isalpha())


def _is_infinitive(sentence: Sentence, index: int) -> bool:
    return sentence.tag(index + 1) is Tag.DETERMINER or sentence.word(index + 1) in words.PRONOUNS


def _skip_modifiers(sentence: Sentence, index: int, opened: bool) -> int:
    """The index of the first token from `index` on that modifies no noun after it."""
    described = opened
    for _ in range(_MOST_MODIFIERS):
        step = _modifier_length(sentence, index, described)
        if step == 0:
            break
        index, described = index + step, True
    return index


def _modifier_length(sentence: Sentence, index: int, described: bool) -> int:
    tag, following = sentence.tag(index), sentence.tag(index + 1)
    if tag is Tag.ADJECTIVE:
        return 1 + _joined_modifier(sentence, index + 1, described)
    if tag is Tag.NOUN and sentence.word(index) in words.COLOURS and _joined_modifier(sentence, index + 1, False):
        return 1 + _joined_modifier(sentence, index + 1, False)
    if tag is Tag.ADVERB and following in _MODIFIERS:
        return 1
    if not _is_verbal_modifier(sentence, index) or not (described or tag in _BARE_VERBS):
        return 0
    return 1 + _joined_modifier(sentence, index + 1, described)


def _is_verbal_modifier(sentence: Sentence, index: int) -> bool:
    """Whether a verb modifies a noun after it: "a stop sign", "a crying baby", but not "the stand display the cups"."""
    tag, following = sentence.tag(index), sentence.tag(index + 1)
    if tag is Tag.BASE_VERB:
        return following in NOMINAL | {Tag.ADJECTIVE} and sentence.tag(index + 2) is not Tag.DETERMINER
    if tag in {Tag.GERUND, Tag.PARTICIPLE, Tag.PAST_VERB}:
        return following in NOMINAL | _MODIFIERS | {Tag.BASE_VERB, Tag.S_VERB}
    return False


def _joined_modifier(sentence: Sentence, index: int, described: bool) -> int:
    """How many marks join two modifiers of one noun at `index`: 1 in "black and white cat", else 0 or 2."""
    tag, after, before = sentence.tag(index), index + 1, sentence.word(index - 1)
    if tag not in {Tag.CONJUNCTION, Tag.COMMA} or before in _HEADLESS:
        return 0
    if tag is Tag.COMMA and sentence.tag(after) is Tag.CONJUNCTION and before in words.COLOURS:  # "black, and red cups"
        return 2 * int(sentence.word(after + 1) in words.COLOURS and _reaches_noun(sentence, after + 1))
    joins = {Tag.ADJECTIVE, Tag.PARTICIPLE}
    if described and before != "orange":  # a determiner needs its noun: "the sharp, steel blades"
        joins |= {Tag.GERUND, Tag.PAST_VERB} | (NOMINAL if tag is Tag.COMMA else frozenset())
    is_modifier = sentence.tag(after) in joins or sentence.word(after) in words.COLOURS
    return int(is_modifier and _reaches_noun(sentence, after))


def _reaches_noun(sentence: Sentence, index: int) -> bool:
    for ahead in range(index, index + 2 * _MOST_MODIFIERS):
        if sentence.tag(ahead) not in _MODIFIERS | {Tag.CONJUNCTION, Tag.COMMA, Tag.ADVERB}:
            return sentence.tag(ahead) in NOMINAL | {Tag.S_VERB}
    return False


def _last_noun(sentence: Sentence, start: int, index: int, opened: bool) -> int | None:
    """The head of the phrase whose nouns begin at `index`, or None where there is none."""
    first = index
    while _continues(sentence, start, first, index):
        index += 1
    if index > first:
        return index - 1
    return _headless(sentence, start, first, opened)


def _continues(sentence: Sentence, start: int, first: int, index: int) -> bool:
    tag, following = sentence.tag(index), sentence.tag(index + 1)
    if index == first:
        return tag in NOMINAL and not _is_verb_of_pronoun(sentence, index)
    if tag in NOMINAL | {Tag.BASE_VERB, Tag.S_VERB}:
        return not _is_verb_use(sentence, start, index)
    if tag is Tag.ADJECTIVE:  # "rubber sole shoes", but not "a glass full of water"
        return following in NOMINAL and sentence.tag(index - 1) is Tag.NOUN
    if tag is Tag.GERUND:  # "plastic measuring cup"
        return sentence.word(index - 1) in words.MATERIALS and following in NOMINAL
    word = sentence.word(index)
    compound = tag is Tag.PARTICIPLE and sentence.tag(index - 1) is Tag.NOUN and not is_known(word)
    return (compound or word in words.COMPOUND_PARTICIPLES) and following in NOMINAL | {Tag.ADJECTIVE}


def _is_verb_of_pronoun(sentence: Sentence, index: int) -> bool:
    """Whether a word in -s is the verb of "one" or "the other": "one wears a cap"."""
    one = sentence.word(index - 1) == "one" or (
        sentence.word(index - 1) == "other" and sentence.tag(index + 1) is Tag.DETERMINER
    )
    return one and sentence.tag(index) is Tag.PLURAL


def _is_verb_use(sentence: Sentence, start: int, index: int) -> bool:
    """Whether a noun-like word after a noun is the verb: "a dog barks at", "the lamp and desk display the cup"."""
    tag, following, after = sentence.tag(index), sentence.tag(index + 1), sentence.word(index + 1)
    if following is Tag.DETERMINER or after in words.OBJECTS:
        return True  # two noun phrases do not stand side by side
    is_base = tag in {Tag.NOUN, Tag.BASE_VERB}
    plural, several = sentence.tag(index - 1) is Tag.PLURAL, sentence.word(start - 1) == "and"
    if is_base and sentence.word(start) in words.SINGULAR and not several:
        return False  # after one thing a verb has its -s: "a balloon ride"
    is_followed = (following in _AFTER_VERB and after != "of") or after == "as"
    if sentence.word(index) in _ACTIONS and is_followed:
        return True
    if tag is Tag.BASE_VERB:
        return plural or is_followed or (several and following in NOMINAL)
    if tag is Tag.NOUN:  # "narrow tree trunks poke up", but "a sports car in"
        return plural and is_followed and sentence.word(index - 1) not in words.PLURAL_MODIFIERS
    return (tag is Tag.S_VERB and is_followed) or (not plural and _is_s_form(sentence, start, index))


def _is_s_form(sentence: Sentence, start: int, index: int) -> bool:
    """Whether a word in -s is the verb of the singular noun before it: "a dog leaves", "a man paints on"."""
    if sentence.tag(index) is Tag.S_VERB:
        return sentence.tag(start) is not Tag.NUMBER
    return sentence.word(start) in words.SINGULAR and sentence.tag(index + 1) in _AFTER_VERB | {Tag.ADJECTIVE}


def _headless(sentence: Sentence, start: int, index: int, opened: bool) -> int | None:
    """A verb, adjective or unknown word in the place of the noun: "a glasses", "an orange", "a remote"."""
    if index > start and _is_verb_for_noun(sentence, index):
        return index
    if not opened:
        return None
    last = index - 1
    if sentence.word(last) in {"one", "other"} and sentence.tag(index) in VERBAL | {Tag.PLURAL}:
        return None  # "one wears a cap", "the other rests", "the one flying higher"
    if sentence.word(index) == "one" and last > start:  # "a loved one"
        return index
    if sentence.tag(index) in VERBAL | {Tag.ADVERB} and not _is_passive(sentence, index):
        return index if sentence.word(index) not in words.ADVERBS | _HEADLESS else None
    return last if last >= start and _is_noun_in_place(sentence, start, last) else None


def _is_verb_for_noun(sentence: Sentence, index: int) -> bool:
    """Whether a verb after a modifier is the noun: "metallic stand", "neatly trimmed bristles"."""
    if sentence.tag(index) is Tag.S_VERB:
        return sentence.tag(index - 1) in _MODIFIERS and sentence.tag(index + 1) is not Tag.DETERMINER
    return sentence.tag(index) is Tag.BASE_VERB


def _is_passive(sentence: Sentence, index: int) -> bool:
    described = sentence.tag(index - 1) is Tag.ADJECTIVE
    return described and sentence.tag(index) is Tag.PARTICIPLE and sentence.word(index + 1) == "by"


def _is_noun_in_place(sentence: Sentence, start: int, index: int) -> bool:
    """Whether the last word of a phrase without a noun can be it: "an orange", not "the red" or "the tallest"."""
    word = sentence.word(index)
    if sentence.tag(index) in _OPENERS | {Tag.POSSESSIVE} or word in _HEADLESS:
        return False
    if sentence.tag(index + 1) is Tag.COMMA and sentence.tag(index + 2) is Tag.ADVERB:  # "a calm, almost silent pond"
        return False
    if word in words.COLOURS:
        return word == "orange"
    return sentence.word(start) != "one" and not word.endswith("est")  # "one full and one empty"


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
