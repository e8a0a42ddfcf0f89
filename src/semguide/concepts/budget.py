"""Which concepts to keep where there are more than can be steered: a picture holds few, and each costs evaluations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from semguide.concepts.lexicon import nouns, words
from semguide.concepts.spans import clean
from semguide.errors import InvalidArgument
from semguide.types import Concept

MAX_CONCEPTS: Final = 8


def rank(prompt: str, concepts: Sequence[Concept]) -> list[int]:
    """Orders concepts by how much of the picture they are.

    Subjects come before what they stand in or on, concrete things before general ones ("a surface"), wholes before
    their parts; then what is named first, counted and coloured. Concepts that are equal keep the prompt's order.

    Args:
        prompt: The prompt that the spans refer to.
        concepts: Its concepts, in any order.

    Returns:
        Indices into `concepts`, the most telling first.
    """
    return sorted(range(len(concepts)), key=lambda index: (-_weight(prompt, concepts[index], index), index))


def within_budget(
    prompt: str, concepts: Sequence[Concept], max_concepts: int = MAX_CONCEPTS
) -> tuple[list[Concept], list[Concept]]:
    """Keeps at most `max_concepts`: parts are merged into their wholes first, then the least telling are left out.

    Only a part that stands right after its whole is merged ("a cat", "a red hat" -> "a cat with a red hat"), so that no
    word is lost; and no more than needed, the last parts of the prompt first.

    Args:
        prompt: The prompt that the spans refer to.
        concepts: Its concepts, in its order.
        max_concepts: How many to keep, >= 1.

    Returns:
        The concepts kept, in the order of the prompt, and those left out, the most telling first.

    Raises:
        InvalidArgument: `max_concepts` is less than 1.
    """
    if max_concepts < 1:
        raise InvalidArgument("max_concepts", "must be >= 1", max_concepts)
    merged = _merged(prompt, concepts, len(concepts) - max_concepts)
    order = rank(prompt, merged)
    kept = set(order[:max_concepts])
    return [merged[i] for i in sorted(kept)], [merged[i] for i in order[max_concepts:]]


def _weight(prompt: str, concept: Concept, index: int) -> float:
    ground = _word_before(prompt, concept) in words.GROUNDING
    general = concept.head in nouns.GENERAL
    coloured = bool(words.COLOURS.intersection(concept.attributes))
    counted = concept.count is not None and concept.count > 1
    part = concept.part_of is not None
    return 2.0 * (index == 0) + counted + coloured - 4.0 * ground - 4.0 * general - 1.0 * part


def _word_before(prompt: str, concept: Concept) -> str:
    if concept.span is None:
        return ""
    before = prompt[max(0, concept.span[0] - 40) : concept.span[0]].split()
    return before[-1].lower() if before else ""


def _merged(prompt: str, concepts: Sequence[Concept], surplus: int) -> list[Concept]:
    """The concepts with as many parts merged into the whole before them as there are too many, as far as possible."""
    merged = list(concepts)
    while surplus > 0:
        pairs = range(len(merged) - 1, 0, -1)
        index = next((i for i in pairs if _is_next_part(prompt, merged[i - 1], merged[i])), None)
        if index is None:
            break
        merged[index - 1 : index + 1] = [_with_part(prompt, merged[index - 1], merged[index])]
        surplus -= 1
    return merged


def _is_next_part(prompt: str, whole: Concept, part: Concept) -> bool:
    if whole.span is None or part.span is None or part.part_of is None:
        return False
    begins = whole.text == part.part_of or whole.text.startswith(f"{part.part_of} ")
    return begins and set(prompt[whole.span[1] : part.span[0]].lower().split()) <= words.HAVING


def _with_part(prompt: str, whole: Concept, part: Concept) -> Concept:
    start, end = (whole.span or (0, 0))[0], (part.span or (0, 0))[1]
    return replace(whole, text=clean(prompt[start:end]), span=(start, end))
