"""The interface of a judge, which says what is in a picture and whether it is what was asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from semguide import plugins
from semguide.errors import InvalidArgument
from semguide.evaluation.suites import SuitePrompt

if TYPE_CHECKING:
    from PIL.Image import Image

GROUP = "semguide.judges"
JUDGE_FILES = ("config.json", "model.safetensors")
"""What the folder of a judge holds."""


@dataclass(frozen=True, slots=True)
class Detection:
    """One object that the judge sees.

    Attributes:
        noun: What it is.
        colour: Its colour; of a thing in its natural colours what one would call them, else "natural".
        natural: Whether it is in its natural colours.
        x: Centre, fraction of the picture's width.
        y: Centre, fraction of the height, downwards.
        side: Side of the box, fraction of the picture.
        confidence: Of the noun, 0 to 1.
    """

    noun: str
    colour: str
    natural: bool
    x: float
    y: float
    side: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge says of a picture.

    Attributes:
        concepts: Per concept whether it is right: there, in its colour, as many as asked for.
        counts: Per concept how many objects have its noun and colour.
        position_right: Whether the first concept lies where it was asked for, None where that was not asked.
    """

    concepts: tuple[bool, ...]
    counts: tuple[int, ...]
    position_right: bool | None

    @property
    def all_right(self) -> bool:
        """Whether every concept is right, and the position too where one was asked for."""
        return all(self.concepts) and self.position_right is not False


class Judge(Protocol):
    """Judges pictures."""

    def judgeable(self, prompt: SuitePrompt) -> bool:
        """Say whether it knows everything that a prompt asks for."""
        ...

    def look(self, image: Image) -> list[Detection]:
        """Find the objects of a picture of any size."""
        ...

    def rule_on(self, prompt: SuitePrompt, findings: Sequence[Detection]) -> Verdict:
        """Judge what is in a picture against what the prompt asks for."""
        ...


@dataclass(frozen=True, slots=True)
class JudgePlugin:
    """A judge, as an entry point of the group `semguide.judges` names it.

    Attributes:
        name: Its name, that of the entry point.
        folder: Where its files lie: `JUDGE_FILES`.
        knows: The pictures that it can judge, in words.
        reads: Says whether a folder holds a judge of its kind.
        load: Reads the judge of a folder.
    """

    name: str
    folder: Path
    knows: str
    reads: Callable[[Path], bool]
    load: Callable[[Path], Judge]


def embedded_judge() -> JudgePlugin | None:
    """Return the judge that is used where none is named; None where none is installed."""
    return next(iter(plugins.load_all(GROUP).values()), None)


def check_known_world(argument: str, folder: Path, prompts: Sequence[SuitePrompt]) -> None:
    """Check that a judge knows what some prompt asks for, before images are made for it.

    Args:
        argument: The argument that names the prompts.
        folder: The judge's folder.
        prompts: The prompts.

    Raises:
        InvalidArgument: It knows none, or no installed package reads the folder.
    """
    judge = load_judge(folder)
    if not any(map(judge.judgeable, prompts)):
        rule = f"must ask for things that {folder.name} knows"
        raise InvalidArgument(argument, rule, prompts[0].text, "choose a suite of its world, see semguide suites")


def load_judge(folder: Path) -> Judge:
    """Read a judge.

    Raises:
        InvalidArgument: No installed package reads the folder.
    """
    for plugin in plugins.load_all(GROUP).values():
        if plugin.reads(folder):
            return plugin.load(folder)
    names = ", ".join(plugins.names(GROUP)) or f"none; {plugins.EMBEDDED}"
    raise InvalidArgument("judge", f"must be of a kind that is installed ({names})", folder, "give another folder")
