"""Suites of prompts: what their prompts ask for, and their halves to tune on and to report."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from semguide import plugins
from semguide.errors import InvalidArgument
from semguide.types import Concept, Position

if TYPE_CHECKING:
    from PIL.Image import Image

GROUP = "semguide.suites"
OWN = "two-objects"
"""The suite that needs no other package."""
Split = Literal["validation", "test"]


@dataclass(frozen=True, slots=True)
class Question:
    """A question of a benchmark about the picture of a prompt.

    Attributes:
        text: The question.
        answer: What is right.
        choices: The answers among which it is chosen, `answer` among them; none where any answer may be given, and its
            probability is the score.
        needs: Places of the prompt's questions without which being right this one counts as wrong.
    """

    text: str
    answer: str
    choices: tuple[str, ...] = ()
    needs: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class SuitePrompt:
    """A prompt with what it asks for.

    Attributes:
        text: The prompt.
        category: Its group within the suite.
        concepts: What must be in the picture, exactly known.
        position: Where the first concept must lie as seen from the second, None where the prompt does not say.
        exact: Whether there must be no more of a concept than it counts, as in GenEval's counting.
        ids: What its benchmark calls it, for benchmarks that name their prompts.
        questions: What its benchmark asks of its pictures.
    """

    text: str
    category: str
    concepts: tuple[Concept, ...]
    position: Position | None = None
    exact: bool = False
    ids: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()

    @property
    def split(self) -> Split:
        """Validation (for tuning) or test (for reporting), by the prompt's hash."""
        return "test" if stable_hash(self.text) % 2 else "validation"


def stable_hash(text: str) -> int:
    """Hash a text to 64 bits that are the same everywhere and always: for choices that never change."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


@dataclass(frozen=True, slots=True)
class Suite:
    """A suite, as an entry point of the group `semguide.suites` names it.

    Attributes:
        name: Its name, that of the entry point.
        summary: What it is, in a few words.
        prompts: Lists its prompts, always the same.
        render: Draws what a prompt asks for, given a seed and the side in pixels: the reference of image quality. It
            returns None for a prompt or a size that it cannot draw. None: the suite has no such pictures.
    """

    name: str
    summary: str
    prompts: Callable[[], list[SuitePrompt]]
    render: Callable[[SuitePrompt, int, int], Image | None] | None = None


def suite_names() -> list[str]:
    """List the suites: semguide's own, then those of installed packages."""
    return [OWN, *plugins.names(GROUP)]


def get_suite(name: str) -> Suite:
    """Look up a suite.

    Raises:
        InvalidArgument: There is no such suite.
    """
    known = suite_names()
    if name not in known:
        raise InvalidArgument("suite", f"must be one of {', '.join(known)}", name)
    if name == OWN:
        from semguide.evaluation.two_objects import TWO_OBJECTS

        return TWO_OBJECTS
    return plugins.load(GROUP, name)


def suite(name: str, split: Split | None = None) -> list[SuitePrompt]:
    """List the prompts of a suite.

    Args:
        name: A name of `suite_names()`.
        split: Only this half; None for all.

    Raises:
        InvalidArgument: There is no such suite.
    """
    return [prompt for prompt in get_suite(name).prompts() if split in (None, prompt.split)]


def rendered(prompt: SuitePrompt, seed: int, size: int) -> Image | None:
    """Draw what a prompt asks for by the first installed suite that can; None where none can.

    Args:
        prompt: The prompt.
        seed: The same prompt and seed give the same picture.
        size: Side of the picture, pixels.
    """
    for render in dict.fromkeys(found.render for found in plugins.load_all(GROUP).values()):
        if render is not None and (picture := render(prompt, seed, size)) is not None:
            return picture
    return None


def limited(prompts: Sequence[SuitePrompt], limit: int | None) -> list[SuitePrompt]:
    """Keep `limit` prompts, chosen by a hash: fair to every category, and a smaller choice is part of a larger one.

    Args:
        prompts: The prompts.
        limit: How many to keep, >= 1; None for all.

    Returns:
        Those kept, in the given order.
    """
    if limit is None or limit >= len(prompts):
        return list(prompts)
    kept = sorted(range(len(prompts)), key=lambda index: stable_hash(f"limit {prompts[index].text}"))[:limit]
    return [prompts[index] for index in sorted(kept)]
