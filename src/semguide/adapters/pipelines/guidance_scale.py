"""The scale of the classifier-free guidance: where a pipeline takes it and what it is at a step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from semguide.adapters.pipelines.families.spec import Scale
from semguide.adapters.pipelines.patching import replaced_attribute
from semguide.errors import InvalidArgument, UnsupportedPipeline
from semguide.guidance.checks import check_number, plain


def scale_arguments(scale: Scale, given: Mapping[str, Any], default: float) -> dict[str, float]:
    """Return the pipeline's scale arguments, all of them strong enough for guidance.

    Args:
        scale: Where the pipeline takes them.
        given: The caller's arguments.
        default: w where the caller gives none.

    Raises:
        InvalidArgument: A scale turns the guidance off, is no finite number, or must be given and is not.
    """
    for name in scale.dynamic_args:
        if given.get(name):
            rule = "must be off, as with it the pipeline changes its scale after it has asked the denoiser"
            raise InvalidArgument(name, rule, given[name], "leave it out")
    first, *others = scale.arguments
    chosen = given.get(first)
    found = {first: default - scale.shift if chosen is None else chosen}
    found |= {name: given[name] for name in others if given.get(name) is not None}
    found = {name: plain(value) for name, value in found.items()}
    for name, value in found.items():
        check_number(name, value, 0.0)
        if value <= scale.off:
            raise scale_off(scale, name, value, f"give it more than {scale.off:g}")
    return found


def scale_off(scale: Scale, name: str, value: Any, remedy: str, rule: str = "the rule") -> InvalidArgument:
    """Return the error of a scale that turns the guidance off where it is needed.

    Args:
        scale: Where the pipeline takes it.
        name: Its argument.
        value: What it is; None: it was not given.
        remedy: What to do.
        rule: What needs the guidance.
    """
    must, off = ("must be given,", "without it") if value is None else ("must be", f"at {scale.off:g} or below")
    told = f"{must} > {scale.off:g} ({off} the pipeline makes no unconditional prediction, which {rule} needs)"
    return InvalidArgument(name, told, value, remedy)


def without_guidance(scale: Scale, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a pipeline call whose guidance is off, also where the rule's default says so.

    Args:
        scale: Where the pipeline takes it.
        given: The caller's arguments.

    Raises:
        InvalidArgument: A scale is negative.
    """
    first = scale.arguments[0]
    if not scale.given(given):
        return dict(given) if scale.required else {**given, first: scale.off}
    check_number(first, plain(given[first]), 0.0)
    return dict(given)


def with_scales(scale: Scale, arguments: Mapping[str, Any], chosen: Mapping[str, float]) -> dict[str, Any]:
    """Return the pipeline's arguments with its scales, where these are arguments."""
    if scale.guiders:
        return {name: value for name, value in arguments.items() if name not in chosen}
    return {**arguments, **chosen}


def scale_at(scale: Scale, pipe: Any, arguments: Mapping[str, float], denoiser: int) -> float:
    """Return w of the present step.

    Args:
        scale: Where the pipeline has it.
        pipe: The pipeline.
        arguments: From `scale_arguments`.
        denoiser: Which of the denoisers is at work.
    """
    if scale.per_step:
        return float(pipe.guidance_scale) + scale.shift
    first = scale.arguments[0]
    return (
        float(arguments.get(scale.arguments[min(denoiser, len(scale.arguments) - 1)], arguments[first])) + scale.shift
    )


@contextmanager
def guiders_set(scale: Scale, pipe: Any, chosen: Mapping[str, float]) -> Iterator[None]:
    """Give the pipeline's guiders the scale w while the context lasts.

    Raises:
        UnsupportedPipeline: A guider does something else than u + w (c - u), or there is none.
    """
    guiders = [guider for guider in (getattr(pipe, name, None) for name in scale.guiders) if guider is not None]
    if scale.guiders and (not guiders or any(type(item).__name__ != "ClassifierFreeGuidance" for item in guiders)):
        names = " and ".join(f"pipe.{name}" for name in scale.guiders)
        kinds = ", ".join(type(item).__name__ for item in guiders) or "none"
        raise UnsupportedPipeline(
            f"{names} must be ClassifierFreeGuidance to be steered, got {kinds}; set it for the run: "
            f"{' = '.join(f'pipe.{name}' for name in scale.guiders)} = ClassifierFreeGuidance()"
        )
    with ExitStack() as stack:
        for guider in guiders:
            own = chosen[scale.arguments[0]] - guider.use_original_formulation
            stack.enter_context(replaced_attribute(guider, "guidance_scale", own))
        yield
