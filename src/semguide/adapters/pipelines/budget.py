"""A budget of denoiser evaluations in the place of a number of steps, for one call of a pipeline."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from semguide.concepts.budget import PLAIN, Evaluations, check_evaluations, most_telling
from semguide.errors import InvalidArgument, notify
from semguide.guidance.cost import MOST_STEPS, Cost, afford
from semguide.types import Concept

_STEPS = "num_inference_steps"
_OTHER_STEPS = ("timesteps", "sigmas")
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Fitted:
    """A call within a budget.

    Attributes:
        steps: Its number of steps, with which the dearest image fits.
        concepts: Of each prompt those that are steered.
    """

    steps: int
    concepts: list[Sequence[Concept]]


def fit(
    pipe: Any,
    cost: Cost,
    evaluations: Evaluations,
    prompts: Sequence[str | None],
    concepts: Sequence[Sequence[Concept]],
    arguments: Mapping[str, Any],
) -> Fitted:
    """Fit a call into a budget; warns of what is given up for it.

    Args:
        pipe: The pipeline.
        cost: What an image of it costs.
        evaluations: The budget of each image; "plain": what plain guidance takes at the pipeline's own steps.
        prompts: The prompts.
        concepts: Of each prompt.
        arguments: Of the call.

    Raises:
        InvalidArgument: It is no budget, steps are given too, or not even 2 steps fit.
    """
    check_evaluations(evaluations, arguments.get(_STEPS))
    if given := [name for name in _OTHER_STEPS if arguments.get(name) is not None]:
        rule = f"must not stand beside {{{given[0]}}}, which says how many steps are taken"
        raise InvalidArgument("evaluations", rule, evaluations, "leave one of them out")
    taken = _part_taken(pipe, arguments)
    budget = cost.plain(max(1, int(_own_steps(pipe) * taken))) if evaluations == PLAIN else evaluations
    steps, kept = [], []
    for prompt, named in zip(prompts, concepts, strict=True):
        afforded = afford(cost, budget, len(named))
        most, left_out = most_telling(prompt or "", named, afforded.concepts)
        warning = afforded.warning(cost.rule.name, budget, [concept.text for concept in left_out])
        if warning is not None:
            notify(warning.message, warning.remedy)
        steps.append(afforded.steps)
        kept.append(most)
    return Fitted(min(int(min(steps) / taken + _ROUNDING), MOST_STEPS), kept)


def _part_taken(pipe: Any, arguments: Mapping[str, Any]) -> float:
    """Return the part of its steps that a call takes: one that begins with an image takes the last ones."""
    parameter = inspect.signature(type(pipe).__call__).parameters.get("strength")
    if parameter is None or not hasattr(pipe, "get_timesteps"):
        return 1.0
    strength = float(arguments.get("strength", parameter.default))
    return strength if 0 < strength <= 1 else 1.0


def _own_steps(pipe: Any) -> int:
    parameter = inspect.signature(type(pipe).__call__).parameters.get(_STEPS)
    if parameter is None or not isinstance(parameter.default, int):
        rule = f"must be a number, as a {type(pipe).__name__} has no default number of steps"
        raise InvalidArgument("evaluations", rule, PLAIN, "try 50")
    return parameter.default


def scheduler_steps(scheduler: type[Any] | None, config: Mapping[str, Any]) -> Callable[[int], int]:
    """Return what a scheduler makes of a number of steps: how often it has the denoiser called.

    Args:
        scheduler: Its class; None for one that is not known.
        config: Its configuration.
    """
    if scheduler is not None and scheduler.__name__ == "PNDMScheduler":
        further = 1 if config.get("skip_prk_steps", False) else 9
        return lambda steps: steps + further
    if getattr(scheduler, "order", 1) == 2:  # Heun's method and its relatives: the last step has no second half
        return lambda steps: 2 * steps - 1
    return int
