"""What a run without guidance, as of checkpoints of a few steps, does not go with, and what to say of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from semguide.errors import InvalidArgument, SemguideWarning
from semguide.models import ModelDescription
from semguide.runs.run import Run

if TYPE_CHECKING:
    from semguide.guidance import Rule


def check_guidance(run: Run, rules: Mapping[str, Rule[Any]], model: ModelDescription) -> None:
    """Check that a run's scale goes with its model, and its methods with the scale.

    Raises:
        InvalidArgument: They do not.
    """
    from semguide.adapters.pipelines.own_scale import check_scale

    check_scale(model, run.sampling.guidance_scale)
    if is_guided(run, model):
        return
    for name, rule in rules.items():
        check_method(name, rule, model, "method" if name == run.methods[-1].name else "compare")


def is_guided(run: Run, model: ModelDescription) -> bool:
    """Say whether there is guidance, of whichever kind."""
    from semguide.adapters.pipelines.own_scale import branches

    return branches(model, run.sampling.guidance_scale) != "conditional"


def check_method(name: str, rule: Rule[Any], model: ModelDescription, argument: str) -> None:
    """Check that a method goes without guidance.

    Args:
        name: The method.
        rule: Its rule.
        model: The model.
        argument: What names it.

    Raises:
        InvalidArgument: It does not.
    """
    if rule.uncond_every > 1:
        told = f"must leave uncond_every at 1 for {model.name}, which makes no unconditional prediction here"
        raise InvalidArgument("settings", told, rule.uncond_every)
    if not rule.goes_without_guidance:
        told = f"must be sgt-balanced or cfg for {model.name}, which has no guidance here that others could correct"
        raise InvalidArgument(argument, told, name, _remedy(model))


def unguided_warnings(run: Run, model: ModelDescription) -> list[SemguideWarning]:
    """Return warnings of what changes nothing without guidance."""
    if not run.negative_prompt.strip() or is_guided(run, model):
        return []
    return [SemguideWarning(f"the negative prompt changes nothing: {model.name} has no guidance here", _remedy(model))]


def _remedy(model: ModelDescription) -> str:
    from semguide.adapters.pipelines.own_scale import never_guides

    return "" if never_guides(model) else "give {guidance_scale} more than 1, if the model guides"
