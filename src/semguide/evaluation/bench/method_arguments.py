"""Methods of `semguide bench` and their parameters: rules and sampling methods. Imports torch when called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from semguide.errors import InvalidArgument
from semguide.runs.checks import check_guidance_scale, check_known
from semguide.runs.methods import (
    EXAMPLE_CONCEPTS,
    EXAMPLE_STEPS,
    SHARED,
    build,
    described,
    known_methods,
    values_of,
)

if TYPE_CHECKING:
    from semguide.evaluation.bench.plan import BenchMethod
    from semguide.evaluation.sampling_methods import SamplingOptions
    from semguide.models import ModelDescription


def sampling_method_names() -> list[str]:
    """List the sampling methods, which only a benchmark has."""
    from semguide.evaluation.sampling_methods import SAMPLING_METHODS

    return list(SAMPLING_METHODS)


def check_names(methods: str) -> list[str]:
    """Read a comma-separated list of methods.

    Raises:
        InvalidArgument: A name is unknown, or there twice.
    """
    names = [name.strip() for name in methods.split(",")]
    for name in names:
        check_known("methods", name, [*known_methods(), *sampling_method_names()])
    if len(set(names)) < len(names):
        raise InvalidArgument("methods", "must name each method once", methods)
    return names


def check_settings(names: list[str], settings: Mapping[str, Mapping[str, Any]]) -> None:
    """Check parameters by method, before the model is looked at.

    Raises:
        InvalidArgument: Unknown method or parameter, a value that the method refuses, or a method that steers away from
            the concepts, which are what a suite asks for.
    """
    for name in settings:
        check_known("settings", name, names, "must be of a method of the run:")
    for name in names:
        if getattr(_build(name, settings.get(name, {}), 7.5), "repels", False):
            rule = "must steer towards the concepts of the suite, not away from them"
            raise InvalidArgument("methods", rule, name, "leave it out")


def complete(
    name: str, given: Mapping[str, Any], guidance_scale: float, pipeline_class: str, sampling: SamplingOptions
) -> BenchMethod:
    """Return a method with all its parameters, the ones not given at their defaults.

    Args:
        name: The method.
        given: Parameters, "guidance_scale" for a scale of its own.
        guidance_scale: That of the benchmark.
        pipeline_class: Name of the diffusers pipeline.
        sampling: What all methods share.

    Raises:
        InvalidArgument: Unknown parameter, or a value that the method refuses.
        UnsupportedPipeline: The method does not work on this pipeline.
    """
    from semguide.evaluation.bench.plan import BenchMethod
    from semguide.evaluation.sampling_methods import SamplingMethod

    method = _build(name, given, guidance_scale)
    own = {} if method.guidance_scale == guidance_scale else {SHARED: method.guidance_scale}
    if not isinstance(method, SamplingMethod):
        return BenchMethod(name, {**values_of(method), **own})
    method.check(pipeline_class, sampling)
    return BenchMethod(name, {**values_of(method), **own}, method.identity())


def check_without_guidance(method: BenchMethod, guidance_scale: float, model: ModelDescription) -> None:
    """Check that a method goes without guidance where a scale turns that off.

    Args:
        method: The method.
        guidance_scale: Its scale.
        model: The model.

    Raises:
        InvalidArgument: It does not.
    """
    from semguide.adapters.pipelines.own_scale import branches, check_scale
    from semguide.evaluation.sampling_methods import SamplingMethod
    from semguide.evaluation.sampling_methods.best_of import OfRule
    from semguide.runs.unguided import check_method

    check_scale(model, guidance_scale)
    if branches(model, guidance_scale) != "conditional":
        return
    built = _build(method.name, method.parameters, guidance_scale)
    if not isinstance(built, SamplingMethod) or isinstance(built, OfRule):
        check_method(method.name, built.image_rule() if isinstance(built, OfRule) else built, model, "methods")
    elif not built.goes_without_guidance:
        rule = f"must work without guidance, which {model.name} does not have here"
        raise InvalidArgument("methods", rule, method.name, "leave it out")


def _build(name: str, given: Mapping[str, Any], guidance_scale: float) -> Any:
    from semguide.evaluation.sampling_methods import SAMPLING_METHODS
    from semguide.guidance import METHODS

    parameters = dict(given)
    scale = parameters.pop(SHARED, guidance_scale)
    if type(scale) not in {int, float}:
        raise InvalidArgument("settings", f"must be a number for {name}.{SHARED}", scale)
    check_guidance_scale(float(scale))
    return build(SAMPLING_METHODS.get(name) or METHODS[name], parameters, float(scale))


def describe_sampling_method(name: str) -> dict[str, Any]:
    """Describe a sampling method as JSON values, as `describe_method` does a rule."""
    from semguide.evaluation.sampling_methods import SAMPLING_METHODS

    method = SAMPLING_METHODS[name]()
    return described(method, method.evaluations_per_image(EXAMPLE_STEPS, EXAMPLE_CONCEPTS))
