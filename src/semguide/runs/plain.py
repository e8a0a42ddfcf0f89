"""Methods that have too few concepts to steer: plain guidance makes their images, once for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from semguide.errors import SemguideWarning
from semguide.runs.methods import build_rule
from semguide.runs.run import Run

if TYPE_CHECKING:
    from semguide.guidance import Rule

PLAIN = "cfg"


def plain_once(run: Run, rules: Mapping[str, Rule[Any]]) -> tuple[Run, Mapping[str, Rule[Any]], list[SemguideWarning]]:
    """Let plain guidance stand once, before the other methods, for all that have too few concepts.

    Args:
        run: The run.
        rules: Rules of its methods, by method name.

    Returns:
        The run, its rules, and why it is so, for runs that have a concept.
    """
    texts = [concept.text for concept in run.concepts]
    idle = [m for m in run.methods if m.name != PLAIN and _has_too_few(rules[m.name], texts)]
    if not idle:
        return run, rules, []
    plain = next((m for m in run.methods if m.name == PLAIN), replace(idle[0], name=PLAIN, parameters={}))
    methods = (plain, *(m for m in run.methods if m not in idle and m.name != PLAIN))
    found = {**rules, PLAIN: rules.get(PLAIN) or build_rule(PLAIN, {}, run.sampling.guidance_scale)}
    kept = {method.name: found[method.name] for method in methods}
    retries = 0 if all(rule.is_noop for rule in kept.values()) else run.retries
    warnings = [_why(rules[m.name], texts) for m in idle] if texts else []
    return replace(run, methods=methods, retries=retries), kept, warnings


def _has_too_few(rule: Rule[Any], concepts: Sequence[str]) -> bool:
    """Whether the images of a rule are those of plain guidance, as there are no more concepts than these."""
    if not concepts:
        return rule.uses_concepts
    changes = rule.replaces_uncond or rule.uncond_every > 1
    return rule.uses_concepts and not rule.is_noop and not changes and len(set(concepts)) < rule.min_concepts


def _why(rule: Rule[Any], concepts: Sequence[str]) -> SemguideWarning:
    from semguide.guidance.session import lone_concept

    told = f"{lone_concept(rule, concepts)}: plain classifier-free guidance (cfg) is drawn, once"
    return SemguideWarning(told, "name more in {concepts}")
