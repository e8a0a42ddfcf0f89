"""What a run's edits do not go with, and what to say of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from semguide.errors import InvalidArgument, SemguideWarning
from semguide.models import ModelDescription
from semguide.runs.run import Run

if TYPE_CHECKING:
    from semguide.guidance import Rule


def check_edits(run: Run, rules: Mapping[str, Rule[Any]], model: ModelDescription) -> None:
    """Check that a run's edits go with its methods and its model.

    Raises:
        InvalidArgument: They do not.
    """
    if not run.edits:
        return
    from semguide.adapters.pipelines.own_scale import branches, never_guides
    from semguide.guidance.edits import check_edits_beside

    found = branches(model, run.sampling.guidance_scale)
    if found == "conditional":
        remedy = "take another {model}" if never_guides(model) else "give {guidance_scale} more than 1"
        raise InvalidArgument("edits", f"must stand beside guidance, and {model.name} has none here", remedy=remedy)
    if found == "embedded":
        rule = f"must stand beside a model with classifier-free guidance, and {model.name} has its scale as an input"
        raise InvalidArgument("edits", rule, remedy="take another {model}")
    for rule in rules.values():
        check_edits_beside(rule)


def edit_warnings(run: Run, steps: Mapping[str, int]) -> list[SemguideWarning]:
    """Return warnings of edits that do nothing, or work against the concepts.

    Args:
        run: The run.
        steps: Steps of each of its methods.
    """
    if not run.edits:
        return []
    from semguide.guidance.edits import never_acting

    found: list[SemguideWarning] = []
    steered = {concept.text.lower() for concept in run.concepts}
    for edit in run.edits.each:
        if edit.direction == "less" and edit.text.lower() in steered:
            told = f"{edit.text!r} is one of the concepts that the pictures are steered towards"
            found.append(SemguideWarning(told, "name the others with {concepts}"))
    for edit in never_acting(run.edits, min(steps.values())):
        told = f"the edit {edit.text!r} acts at none of the {min(steps.values())} steps"
        found.append(SemguideWarning(told, "widen its window"))
    return found
