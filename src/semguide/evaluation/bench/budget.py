"""A benchmark within a budget: every method takes as many steps as fit into the same denoiser evaluations an image."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from semguide.concepts.budget import PLAIN, Evaluations
from semguide.errors import InvalidArgument
from semguide.evaluation.bench.plan import Bench, BenchMethod
from semguide.evaluation.sampling_methods import SAMPLING_METHODS
from semguide.guidance import Rule, get_method
from semguide.guidance.cost import steps_within
from semguide.models import ModelDescription
from semguide.runs.budget import cost_of, denoiser_steps


def within_budget(bench: Bench, model: ModelDescription, evaluations: Evaluations) -> Bench:
    """Give each method as many steps as fit, in the mean of the prompts.

    Args:
        bench: The benchmark, at the model's own steps.
        model: Its model.
        evaluations: The budget of an image; "plain": what plain guidance takes at the benchmark's steps.

    Raises:
        InvalidArgument: Not one step of a method fits, or its evaluations depend on the image.
    """
    plain = cost_of(get_method("cfg")(), model, bench.loading).plain(bench.num_inference_steps)
    budget = plain if evaluations == PLAIN else evaluations
    methods = tuple(_fitted(bench, method, model, budget) for method in bench.methods)
    return replace(bench, methods=methods, evaluations=budget)


def _fitted(bench: Bench, method: BenchMethod, model: ModelDescription, budget: int) -> BenchMethod:
    cost = mean_cost(bench, method, model)
    if (least := cost(1)) > budget:
        rule = f"must be at least {math.ceil(least)}, which a step of {method.name} takes"
        raise InvalidArgument("evaluations", rule, budget, "give more")
    return replace(method, num_inference_steps=steps_within(cost, budget))


def mean_cost(bench: Bench, method: BenchMethod, model: ModelDescription) -> Callable[[int], float]:
    """Return what gives the mean evaluations of a method's images of so many steps.

    Raises:
        InvalidArgument: They depend on the image.
    """
    parameters: dict[str, Any] = {"guidance_scale": bench.scale_of(method), **method.parameters}
    built: Any = (SAMPLING_METHODS.get(method.name) or get_method(method.name))(**parameters)
    if not isinstance(built, Rule) and built.evaluations_per_image(1, 2) is None:
        rule = "must be methods whose evaluations do not depend on the image, to be compared at equal ones"
        raise InvalidArgument("methods", rule, method.name, "leave it out")
    taken, counts = denoiser_steps(model, bench.loading), Counter(len(prompt.concepts) for prompt in bench.prompts)

    def cost(steps: int, concepts: int) -> int:
        if isinstance(built, Rule):
            return cost_of(cast(Rule[Any], built), model, bench.loading)(steps, concepts)
        return built.evaluations_per_image(taken(steps), concepts)

    return lambda steps: sum(cost(steps, count) * number for count, number in counts.items()) / counts.total()
