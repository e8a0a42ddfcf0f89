"""Which concepts to keep where there are more than can be steered: a picture holds few, and each costs evaluations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from semguide.concepts.lexicon import nouns, words
from semguide.concepts.spans import clean
from semguide.errors import InvalidArgument, SemguideWarning
from semguide.types import Concept

MAX_CONCEPTS: Final = 8
PLAIN: Final = "plain"
"""The budget that is what plain guidance takes at the model's own number of steps."""
Evaluations = int | Literal["plain"]
"""A budget: denoiser evaluations that an image may take."""
_MOST_NAMED: Final = 8
_FEWEST: Final = 2  # concepts to balance against each other


@dataclass(frozen=True)
class Choice:
    """The concepts of a prompt that are steered, and those found in it that are not.

    Attributes:
        kept: Those that are steered, in the order of the prompt.
        over: More than `max_concepts`, the most telling first.
        unread: Those that no text encoder reads.
    """

    kept: tuple[Concept, ...] = ()
    over: tuple[Concept, ...] = ()
    unread: tuple[Concept, ...] = ()

    @property
    def found(self) -> list[Concept]:
        """All of them, in the order of the prompt; those that are not in it last."""
        found = [*self.kept, *self.over, *self.unread]
        return sorted(found, key=lambda concept: (concept.span is None, concept.span or (0, 0)))

    @property
    def warning(self) -> SemguideWarning | None:
        """What was left out and how to choose; None where nothing was."""
        if not self.over and not self.unread:
            return None
        left_out = [
            f"{_named(concepts)} ({why})"
            for concepts, why in (
                (self.over, f"more than {len(self.kept)}"),
                (self.unread, "beyond what the text encoder reads"),
            )
            if concepts
        ]
        told = f"{len(self.kept)} of {len(self.found)} concepts in the prompt are steered, without "
        remedy = "name those to keep with {concepts}" + (", or raise {max_concepts}" if self.over else "")
        return SemguideWarning(told + " and ".join(left_out), remedy)


def choose(
    prompt: str,
    concepts: Sequence[Concept],
    max_concepts: int = MAX_CONCEPTS,
    reads: Callable[[Concept], bool] | None = None,
) -> Choice:
    """Chooses which of a prompt's concepts to steer: those that the text encoder reads, within the budget.

    Args:
        prompt: The prompt that the spans refer to.
        concepts: Its concepts, in its order.
        max_concepts: How many to keep, >= 1.
        reads: Says whether the text encoder reads a concept; None: it reads all of them.

    Raises:
        InvalidArgument: `max_concepts` is no whole number >= 1.
    """
    read = [concept for concept in concepts if reads is None or reads(concept)]
    kept, over = within_budget(prompt, read, max_concepts)
    return Choice(tuple(kept), tuple(over), tuple(concept for concept in concepts if concept not in read))


def check_max_concepts(max_concepts: int) -> None:
    """Checks how many concepts to keep.

    Raises:
        InvalidArgument: It is no whole number >= 1.
    """
    if not _is_count(max_concepts):
        raise InvalidArgument("max_concepts", "must be a whole number >= 1", max_concepts)


def check_evaluations(evaluations: Any, num_inference_steps: Any = None) -> None:
    """Checks a budget of denoiser evaluations before it is known what an evaluation is.

    Raises:
        InvalidArgument: It is neither a whole number >= 1 nor "plain", or a number of steps is given, too.
    """
    if not _is_count(evaluations) and evaluations != PLAIN:
        raise InvalidArgument("evaluations", 'must be a whole number >= 1, or "plain"', evaluations, 'try "plain"')
    if num_inference_steps is not None:
        rule = "must not stand beside {num_inference_steps}, as it says how many steps are taken"
        raise InvalidArgument("evaluations", rule, evaluations, "leave one of them out")


def _is_count(value: Any) -> bool:
    """Says whether a value is a whole number >= 1."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


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
    """Keeps at most `max_concepts`: parts are merged into their wholes, then the least telling are left out.

    Only a part that stands right after its whole is merged ("a cat", "a red hat" -> "a cat with a red hat"), so that no
    word is lost. Where one concept would be left, and more are allowed, the parts stay apart: a rule that balances
    concepts has nothing to do with one.

    Args:
        prompt: The prompt that the spans refer to.
        concepts: Its concepts, in its order.
        max_concepts: How many to keep, >= 1.

    Returns:
        The concepts kept, in the order of the prompt, and those left out, the most telling first.

    Raises:
        InvalidArgument: `max_concepts` is no whole number >= 1.
    """
    check_max_concepts(max_concepts)
    merged = _merged(prompt, concepts)
    if len(merged) < _FEWEST <= max_concepts:
        merged = list(concepts)
    return most_telling(prompt, merged, max_concepts)


def most_telling(prompt: str, concepts: Sequence[Concept], count: int) -> tuple[list[Concept], list[Concept]]:
    """Returns the `count` most telling concepts in their order, and those left out, the most telling first."""
    order = rank(prompt, concepts)
    return [concepts[i] for i in sorted(order[:count])], [concepts[i] for i in order[count:]]


def _named(concepts: Sequence[Concept]) -> str:
    texts = list(dict.fromkeys(repr(concept.text) for concept in concepts))
    more = len(texts) - _MOST_NAMED
    return ", ".join(texts[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


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


def _merged(prompt: str, concepts: Sequence[Concept]) -> list[Concept]:
    """The concepts with each part that stands right after its whole merged into it."""
    merged: list[Concept] = []
    for concept in concepts:
        if merged and _is_next_part(prompt, merged[-1], concept):
            merged[-1] = _with_part(prompt, merged[-1], concept)
        else:
            merged.append(concept)
    return merged


def _is_next_part(prompt: str, whole: Concept, part: Concept) -> bool:
    if whole.span is None or part.span is None or part.part_of is None:
        return False
    edge = whole.text.startswith(f"{part.part_of} ") or whole.text.endswith(f" {part.part_of}")
    return (edge or whole.text == part.part_of) and set(
        prompt[whole.span[1] : part.span[0]].lower().split()
    ) <= words.HAVING


def _with_part(prompt: str, whole: Concept, part: Concept) -> Concept:
    start, end = (whole.span or (0, 0))[0], (part.span or (0, 0))[1]
    return replace(whole, text=clean(prompt[start:end]), span=(start, end))
