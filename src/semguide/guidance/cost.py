"""What denoiser evaluations buy: how many steps of a rule, with how many of an image's concepts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from semguide.concepts.edits import Edits
from semguide.errors import InvalidArgument, SemguideWarning
from semguide.guidance.edits import needed_edits
from semguide.guidance.rule import Branches, Rule, step_evaluations
from semguide.guidance.signal_score import STOP, first_steps

FEWEST_STEPS: Final = 12
"""Concepts are left out before steps go below this; at 10 of 25 steps nearly half of the gain is lost."""
MOST_STEPS: Final = 1000
_LEAST_STEPS: Final = 2
_LEAST_CONCEPTS: Final = 2
_DIP: Final = 8
"""Steps after which a cost is above every earlier one."""


@dataclass(frozen=True)
class Cost:
    """What an image of a rule costs.

    Attributes:
        rule: The rule.
        branches: What the pipeline evaluates at each step: a plain one takes one evaluation or two.
        denoiser_steps: What the scheduler makes of a number of steps; of most the same number.
        edits: What is evaluated besides at each step; none where e(0) is not.
        watched: The part of the steps, from the first, at which the concepts are evaluated also where the rule does not
            need them: 0 for none, 1 for a full trace, `STOP` for an image that may be tried again.
    """

    rule: Rule[Any]
    branches: Branches = "both"
    denoiser_steps: Callable[[int], int] = int
    edits: Edits = field(default_factory=Edits)
    watched: float = 0.0

    def __call__(self, steps: int, concepts: int) -> int:
        """Return the denoiser evaluations of an image of so many steps and concepts."""
        count = self.denoiser_steps(steps)
        return self._until(count, count, concepts)

    def dropped(self, steps: int, concepts: int) -> int:
        """Return the denoiser evaluations of a seed that is given up after its first steps."""
        count = self.denoiser_steps(steps)
        return self._until(first_steps(STOP, count), count, concepts)

    @property
    def fewest(self) -> int:
        """Steps below which it should not go; without guidance a checkpoint says itself how few it takes."""
        return _LEAST_STEPS if self.branches == "conditional" else FEWEST_STEPS

    def plain(self, steps: int) -> int:
        """Return the denoiser evaluations of plain guidance."""
        return self.denoiser_steps(steps) * step_evaluations(0, self.branches)

    def _until(self, stop: int, count: int, concepts: int) -> int:
        watched = first_steps(self.watched, count) if self.watched else 0
        own = (
            self.rule.evaluations(step, count, concepts, full_trace=step < watched, branches=self.branches)
            for step in range(stop)
        )
        edits = (len(needed_edits(self.edits, step, count)) for step in range(stop)) if self.edits else ()
        return sum(own) + sum(edits)


@dataclass(frozen=True)
class Afforded:
    """What a number of evaluations buys.

    Attributes:
        steps: Number of steps.
        concepts: How many of the image's concepts are steered.
        wanted: Evaluations with which all would be, at `fewest` steps at least.
        fewest: Of the cost.
    """

    steps: int
    concepts: int
    wanted: int
    fewest: int = FEWEST_STEPS

    def warning(self, method: str, evaluations: int, left_out: Sequence[str]) -> SemguideWarning | None:
        """Return what was given up for it and how to have it; None where nothing was.

        Args:
            method: Name of the rule.
            evaluations: The budget.
            left_out: The concepts that are not steered, the most telling first.
        """
        if self.wanted <= evaluations:
            return None
        told = f"{evaluations} evaluations are {self.steps} steps of {method}"
        if left_out:
            told += f" with {self.concepts} concepts, without {', '.join(map(repr, left_out))}"
        if self.steps < self.fewest:
            told += f"; below {self.fewest} steps much of what it gains is lost"
        remedy = f"give {{evaluations}} at least {self.wanted}"
        return SemguideWarning(told, remedy + (", or name those to keep with {concepts}" if left_out else ""))


def steps_within(cost: Callable[[int], float], evaluations: int) -> int:
    """Return the most steps whose cost is within a number of evaluations; 1 where no number of steps is.

    Args:
        cost: Evaluations of an image of so many steps, at least one a step; where a window ends it may be less for one
            step more.
        evaluations: The budget.
    """
    found, beyond = 1, min(evaluations, MOST_STEPS) + 1
    while beyond - found > 1:
        middle = (found + beyond) // 2
        found, beyond = (middle, beyond) if cost(middle) <= evaluations else (found, middle)
    near = range(found, min(found + _DIP, MOST_STEPS) + 1)
    return max((steps for steps in near if cost(steps) <= evaluations), default=1)


def afford(cost: Cost, evaluations: int, concepts: int) -> Afforded:
    """Return as many steps as fit; concepts are left out before those are fewer than the cost's `fewest`.

    Args:
        cost: What an image costs.
        evaluations: Denoiser evaluations that an image may take.
        concepts: Number of its concepts.

    Raises:
        InvalidArgument: Not even 2 steps fit.
    """
    rule, kept = cost.rule, concepts
    steered = rule.uses_concepts and not rule.is_noop and concepts >= rule.min_concepts
    fewest = max(_LEAST_CONCEPTS, rule.min_concepts) if steered else concepts
    while kept > fewest and cost(cost.fewest, kept) > evaluations:
        kept -= 1
    least = cost(_LEAST_STEPS, kept)
    if least > evaluations:
        told = f"must be at least {least}, which {_LEAST_STEPS} steps of {rule.name} take"
        raise InvalidArgument("evaluations", told, evaluations, 'try "plain"')
    wanted = cost(cost.fewest, concepts) if steered else 0
    return Afforded(steps_within(lambda steps: cost(steps, kept), evaluations), kept, wanted, cost.fewest)
