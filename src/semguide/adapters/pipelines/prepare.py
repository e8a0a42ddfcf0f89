"""A call of a steered pipeline before it runs: checked, with its concepts, fitted into its budget."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from semguide.adapters.inputs import concepts_of, prompts_of, warn_of_left_out, warn_of_truncation
from semguide.adapters.pipelines.budget import fit, scheduler_steps
from semguide.adapters.pipelines.families.registry import is_distilled, mechanism_of
from semguide.adapters.pipelines.families.spec import Mechanism, PipelineSpec, branches_of
from semguide.adapters.pipelines.guidance_scale import scale_arguments, scale_off, with_scales, without_guidance
from semguide.adapters.pipelines.text_encoding import readers_of, with_negative, with_own_lists
from semguide.concepts.budget import Evaluations
from semguide.concepts.edits import Edits, as_edits
from semguide.errors import InvalidArgument, UnsupportedPipeline, notify
from semguide.guidance import Rule
from semguide.guidance.cost import Cost
from semguide.guidance.edits import check_edits_beside
from semguide.guidance.rule import Branches
from semguide.types import Concept


@dataclass(frozen=True)
class Asked:
    """What a call asks for besides the pipeline's own arguments; as in `SteeredPipeline.__call__`.

    Attributes:
        concepts: Concepts to keep.
        max_concepts: How many of those found in a prompt to keep.
        decomposer: What finds them.
        concept_embeds: Encodings of concepts.
        edits: What the images are to show more of, or less of.
        evaluations: Denoiser evaluations that an image may take.
    """

    concepts: Any
    max_concepts: int
    decomposer: Any
    concept_embeds: Mapping[str, Any] | None
    edits: Any
    evaluations: Evaluations | None


@dataclass(frozen=True)
class Call:
    """A call that can run.

    Attributes:
        mechanism: How it is steered.
        arguments: The pipeline's.
        scales: Of them those of the guidance; empty without classifier-free guidance.
        prompts: The prompts; None where they are embeddings.
        concepts: Of each prompt.
        edits: What the images are to show more of, or less of.
        evaluates: Whether the rule uses the concepts.
        changes: Whether it is anything but plain guidance.
    """

    mechanism: Mechanism
    arguments: dict[str, Any]
    scales: Mapping[str, float]
    prompts: Sequence[str | None]
    concepts: Sequence[Sequence[Concept]]
    edits: Edits
    evaluates: bool
    changes: bool

    @property
    def guided(self) -> bool:
        """Whether there is guidance, of whichever kind."""
        return self.mechanism != "conditional"


def prepare(pipe: Any, spec: PipelineSpec, rule: Rule[Any], asked: Asked, arguments: Mapping[str, Any]) -> Call:
    """Check what a call asks for, find its concepts, and fit it into its budget.

    Args:
        pipe: The pipeline.
        spec: Its family's spec.
        rule: The rule.
        asked: What the call asks for.
        arguments: The pipeline's own.

    Raises:
        InvalidArgument: An argument breaks a rule.
        UnsupportedPipeline: The rule or the edits cannot work on this pipeline.
    """
    mechanism = mechanism_of(spec, pipe, arguments, rule.guidance_scale)
    branches, edits = branches_of(mechanism), as_edits(asked.edits)
    if edits:
        _check_edits(pipe, spec, rule, branches)
    scales: dict[str, float] = {}
    if mechanism == "conditional":
        _check_conditional(pipe, spec, rule, arguments)
        arguments = arguments if is_distilled(spec, pipe) else without_guidance(spec.scale, arguments)
    elif mechanism != "embedded":
        scales = scale_arguments(spec.scale, arguments, rule.guidance_scale)
        arguments = with_scales(spec.scale, arguments, scales)
    prompts = prompts_of(arguments, spec.text.embeds[0])
    evaluates = rule.uses_concepts and not rule.is_noop
    if mechanism == "embedded" and not rule.is_plain:
        _check_embedded(pipe, rule, evaluates)
    concepts = asked.concepts
    if concepts is None and asked.concept_embeds:
        concepts = [text for text in asked.concept_embeds if text]
    readers = readers_of(pipe, spec.text, arguments)
    choices = concepts_of(prompts, concepts, asked.decomposer, asked.max_concepts, readers)
    found: Sequence[Sequence[Concept]] = [choice.kept for choice in choices]
    if evaluates and concepts is None:
        warn_of_left_out(prompts, choices)
    if asked.evaluations is not None:
        cost = Cost(rule, branches, _scheduler_steps(pipe), edits)
        fitted = fit(pipe, cost, asked.evaluations, prompts, found, arguments)
        found, arguments = fitted.concepts, {**arguments, "num_inference_steps": fitted.steps}
    warn_of_truncation(readers, prompts, found)
    own, changes = with_own_lists(spec.text, arguments), not rule.is_plain or bool(edits)
    if mechanism != "conditional":
        own = with_negative(spec.text, own, len(prompts))
    return Call(mechanism, own, scales, prompts, found, edits, evaluates, changes)


def _check_conditional(pipe: Any, spec: PipelineSpec, rule: Rule[Any], arguments: Mapping[str, Any]) -> None:
    """Refuse a rule that needs the guidance that is not there, and say what has no effect."""
    kind, scale, distilled = type(pipe).__name__, spec.scale, is_distilled(spec, pipe)
    name = scale.arguments[0]
    if rule.uncond_every > 1:
        told = f"must be 1 for {kind} here, which makes no unconditional prediction that could be kept"
        raise InvalidArgument("uncond_every", told, rule.uncond_every, "leave it out")
    if not rule.goes_without_guidance:
        if distilled:
            raise UnsupportedPipeline(
                f"{kind} makes no unconditional prediction here, which {rule.name} needs; use BalancedSGT"
            )
        default = None if scale.required else rule.guidance_scale - scale.shift
        value = arguments[name] if scale.given(arguments) else default
        raise scale_off(scale, name, value, "use BalancedSGT for a run without guidance", rule.name)
    given = arguments.get("negative_prompt") or ""
    if any(text and text.strip() for text in ([given] if isinstance(given, str) else given)):
        notify(f"negative_prompt changes nothing: {kind} does not guide here", "" if distilled else f"raise {name}")


def _check_edits(pipe: Any, spec: PipelineSpec, rule: Rule[Any], branches: Branches) -> None:
    """Refuse edits where there is no guidance to add theirs to."""
    if branches == "conditional":
        remedy = "use another checkpoint" if is_distilled(spec, pipe) else f"raise {spec.scale.arguments[0]}"
        raise UnsupportedPipeline(
            f"{type(pipe).__name__} does not guide here, and edits are added to its guidance; {remedy}"
        )
    if branches == "embedded":
        raise UnsupportedPipeline(
            f"{type(pipe).__name__} takes the guidance scale as an input of its denoiser here, and edits are added to "
            "classifier-free guidance; use a pipeline that has it"
        )
    check_edits_beside(rule)


def _check_embedded(pipe: Any, rule: Rule[Any], evaluates: bool) -> None:
    """Refuse what corrects a classifier-free guidance that is not there."""
    if rule.uncond_every > 1:
        told = f"must be 1 for {type(pipe).__name__} here, which evaluates e(0) only together with concepts"
        raise InvalidArgument("uncond_every", told, rule.uncond_every, "leave it out")
    if not evaluates:
        raise UnsupportedPipeline(
            f"{type(pipe).__name__} evaluates no unconditional prediction here, and {rule.name} corrects "
            "classifier-free guidance; use a pipeline that has it"
        )


def _scheduler_steps(pipe: Any) -> Callable[[int], int]:
    scheduler = getattr(pipe, "scheduler", None)
    return int if scheduler is None else scheduler_steps(type(scheduler), scheduler.config)
