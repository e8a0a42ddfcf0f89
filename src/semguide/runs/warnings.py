"""What a run tells its user before it starts: why it is plain guidance, and what looks like a mistake."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from semguide.concepts import why_none
from semguide.concepts.budget import Choice
from semguide.errors import SemguideWarning
from semguide.runs.edits import edit_warnings
from semguide.runs.plain import PLAIN, plain_once
from semguide.runs.run import Run

if TYPE_CHECKING:
    from semguide.guidance import Rule


def with_warnings(
    run: Run, rules: Mapping[str, Rule[Any]], choice: Choice | None = None
) -> tuple[Run, Mapping[str, Rule[Any]], tuple[SemguideWarning, ...]]:
    """Turn a run without concepts into plain guidance, and say where concepts do not suit a method.

    Args:
        run: The run.
        rules: Rules of its methods, by method name.
        choice: Its concepts as they were found in the prompt; None where they were given.

    Returns:
        The run, its rules, and the warnings.
    """
    from semguide.guidance import idle_warning

    steering = [method.name for method in run.methods if method.name != PLAIN]
    steps = {method.name: run.alone(method).sampling.num_inference_steps for method in run.methods}
    if not run.concepts and (plain := plain_once(run, rules))[0] is not run:
        return plain[0], plain[1], (_why_plain(run, choice), *edit_warnings(run, steps))
    steered = {name: rule for name, rule in rules.items() if not rule.is_noop}
    warnings: list[SemguideWarning] = (
        [choice.warning] if choice is not None and choice.warning is not None and steering else []
    )
    names = [concept.text for concept in run.concepts]
    warnings += filter(None, (idle_warning(rule, names, steps[name]) for name, rule in steered.items()))
    if choice is not None and (repels := [name for name, rule in steered.items() if rule.repels]):
        warnings.append(
            SemguideWarning(
                f"{', '.join(repels)} steers away from the concepts, which are what the prompt asks for",
                "name what the images should not show with {concepts}",
            )
        )
    warnings += edit_warnings(run, steps)
    if choice is None and not any(rule.repels for rule in steered.values()):
        warnings += _doubts(run)
    return run, rules, tuple(warnings)


def _why_plain(run: Run, choice: Choice | None) -> SemguideWarning:
    """Return why a run without concepts is one of plain guidance."""
    used = "(plain classifier-free guidance, cfg, is used)"
    if choice is None:
        return SemguideWarning(f"there is no concept to steer {used}", "name some with {concepts}")
    if (warning := choice.warning) is not None:
        return SemguideWarning(f"{warning.message} {used}", warning.remedy)
    return SemguideWarning(f"{why_none(run.prompt, looked=True)} {used}")


def _doubts(run: Run) -> list[SemguideWarning]:
    """Return warnings of concepts given by hand that look like mistakes."""
    found: list[SemguideWarning] = []
    if len(run.concepts) == 1 and "," in (text := run.concepts[0].text):
        found.append(SemguideWarning(f"{text!r} is one concept, commas and all", "give each of {concepts} by itself"))
    for concept in run.concepts if not found else ():
        if concept.span is None:
            found.append(
                SemguideWarning(
                    f"the prompt does not name the concept {concept.text!r}", "check the spelling of {concepts}"
                )
            )
    return found
