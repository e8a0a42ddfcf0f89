"""A run within a budget of denoiser evaluations: steps of each method, and how many concepts are steered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from semguide.concepts.budget import PLAIN, Evaluations, most_telling
from semguide.concepts.edits import Edits
from semguide.errors import SemguideWarning
from semguide.models import LoadOptions, ModelDescription, own_scheduler
from semguide.models.config_types import read_config
from semguide.runs.run import Run

if TYPE_CHECKING:
    from semguide.guidance import Rule
    from semguide.guidance.cost import Cost


def within_budget(
    run: Run, rules: Mapping[str, Rule[Any]], model: ModelDescription, evaluations: Evaluations
) -> tuple[Run, list[SemguideWarning]]:
    """Give each method as many steps as fit, and all of them the concepts that the dearest can steer.

    Args:
        run: The run, at the model's own steps.
        rules: Rules of its methods, by method name.
        model: Its model.
        evaluations: The budget of an image.

    Returns:
        The run, and warnings of what is given up for the budget.

    Raises:
        InvalidArgument: Not even 2 steps of a method fit.
    """
    from semguide.guidance.cost import afford

    costs = {name: cost_of(rule, model, run.loading, run.edits) for name, rule in rules.items()}
    own = next(iter(costs.values())).plain(run.sampling.num_inference_steps)
    budget = own if evaluations == PLAIN else evaluations
    alone = {name: afford(cost, budget, len(run.concepts)) for name, cost in costs.items()}
    count = min(afforded.concepts for afforded in alone.values())
    kept, left_out = most_telling(run.prompt, run.concepts, count)
    found = {name: replace(afford(cost, budget, count), wanted=alone[name].wanted) for name, cost in costs.items()}
    main = found[run.methods[-1].name].steps
    methods = tuple(
        replace(method, num_inference_steps=None if (steps := found[method.name].steps) == main else steps)
        for method in run.methods
    )
    warnings = [one.warning(name, budget, [concept.text for concept in left_out]) for name, one in found.items()]
    fitted = replace(
        run,
        concepts=tuple(kept),
        methods=methods,
        sampling=replace(run.sampling, num_inference_steps=main),
        evaluations=budget,
    )
    return fitted, [warning for warning in warnings if warning is not None]


def cost_of(
    rule: Rule[Any], model: ModelDescription, loading: LoadOptions, edits: Edits | None = None, watched: float = 0.0
) -> Cost:
    """Return what an image of a rule costs on a model, with edits if there are any; `watched` is as `Cost` has it."""
    from semguide.adapters.pipelines.own_scale import branches
    from semguide.guidance.cost import Cost

    evaluated = branches(model, rule.guidance_scale)
    return Cost(rule, evaluated, denoiser_steps(model, loading), edits or Edits(), watched)


def denoiser_steps(model: ModelDescription, loading: LoadOptions) -> Callable[[int], int]:
    """Return how many steps the denoiser is called for, of a number of steps; imports diffusers."""
    import diffusers

    from semguide.adapters.pipelines.budget import scheduler_steps

    config = read_config(model.configuration / "scheduler" / "scheduler_config.json")
    name = loading.scheduler or own_scheduler(model.path, model.configuration)
    return scheduler_steps(getattr(diffusers, name, None), config)
