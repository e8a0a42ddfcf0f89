"""What a run will cost, before it is made."""

from __future__ import annotations

from dataclasses import dataclass

from semguide.runs.budget import cost_of
from semguide.runs.request import Plan
from semguide.runs.run import Method


@dataclass(frozen=True, slots=True)
class MethodCost:
    """What an image of a method costs.

    Attributes:
        method: The method's name.
        steps: Its number of steps.
        evaluations: Denoiser evaluations, where its own seed is kept.
        most: Denoiser evaluations, where all seeds are tried that may be.
    """

    method: str
    steps: int
    evaluations: int
    most: int


def estimate(planned: Plan) -> list[MethodCost]:
    """Return what an image costs, by method of the run."""
    return [_method_cost(planned, method) for method in planned.run.methods]


def _method_cost(planned: Plan, method: Method) -> MethodCost:
    from semguide.guidance.signal_score import STOP

    run, rule, concepts = planned.run.alone(method), planned.rules[method.name], len(planned.run.concepts)
    retries = run.retries if concepts > 1 and not rule.is_noop else 0
    watched = 1.0 if run.full_trace else STOP if retries else 0.0
    cost, steps = cost_of(rule, planned.model, run.loading, run.edits, watched), run.sampling.num_inference_steps
    own = cost(steps, concepts)
    return MethodCost(method.name, steps, own, own + retries * cost.dropped(steps, concepts))
