"""`steer`: any supported diffusers pipeline in, the same pipeline with a guidance rule out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from typing import Any

from semguide.adapters.pipelines.adapter_scale import adapter_layers, adapters_scaled
from semguide.adapters.pipelines.alignment import fitted_calibration, prompt_of_each, scored
from semguide.adapters.pipelines.caches import check_no_cache
from semguide.adapters.pipelines.evaluator import Evaluator, ImageConditioning, encode_images
from semguide.adapters.pipelines.families.registry import spec_of
from semguide.adapters.pipelines.guidance_scale import guiders_set
from semguide.adapters.pipelines.mechanisms import MECHANISMS, Sequential
from semguide.adapters.pipelines.patches import PatchWatch
from semguide.adapters.pipelines.patching import (
    Forward,
    decoding_tapped,
    in_turn,
    one_by_one_decoding,
    pausing,
    replaced_forward,
    tapped_method,
)
from semguide.adapters.pipelines.prepare import Asked, Call, prepare
from semguide.adapters.pipelines.result import Result
from semguide.adapters.pipelines.session import SteeringSession
from semguide.adapters.pipelines.text_encoding import TextEncoder
from semguide.adapters.pipelines.tokenizing import reads_in_turn
from semguide.concepts.budget import MAX_CONCEPTS, Evaluations, check_max_concepts
from semguide.errors import InvalidArgument
from semguide.guidance import BalancedSGT, Observer, Rule, RuleSession, Watcher
from semguide.guidance.edit_session import EditSession

_CALLBACKS = ("callback_on_step_end", "callback")
"""The arguments of pipelines that take a function to be called after each step."""


class SteeredPipeline:
    """A pipeline that a rule steers. Its calls take the pipeline's own arguments; the pipeline itself is unchanged."""

    _OWN = frozenset({"pipe", "rule", "decomposer", "max_concepts", "batch_invariant", "_spec"})

    def __init__(
        self, pipe: Any, rule: Rule[Any], *, decomposer: Any, max_concepts: int = MAX_CONCEPTS, batch_invariant: bool
    ) -> None:
        self.pipe = pipe
        self.rule = rule
        self.decomposer = decomposer
        self.max_concepts = max_concepts
        self.batch_invariant = batch_invariant
        self._spec = spec_of(pipe)

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the pipeline, such as its scheduler."""
        if name in self._OWN or name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.pipe, name)

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute of the pipeline, unless it is one of this."""
        if name in self._OWN:
            object.__setattr__(self, name, value)
        else:
            setattr(self.pipe, name, value)

    def to(self, *args: Any, **kwargs: Any) -> SteeredPipeline:
        """Move the pipeline, with the arguments of its own `to`; returns this."""
        self.pipe.to(*args, **kwargs)
        return self

    @reads_in_turn
    def __call__(  # noqa: PLR0913 - what a call may ask for besides what the pipeline takes
        self,
        prompt: str | list[str] | None = None,
        *,
        concepts: Any = None,
        max_concepts: int | None = None,
        concept_embeds: Mapping[str, Any] | None = None,
        edits: Any = None,
        evaluations: Evaluations | None = None,
        full_trace: bool = False,
        observer: Observer | None = None,
        watcher: Watcher | None = None,
        **arguments: Any,
    ) -> Result:
        """Run the pipeline with the rule.

        Args:
            prompt: As for the pipeline; None with `prompt_embeds`.
            concepts: Texts or `Concept`s to keep in the image, for all prompts, or a list of such lists, one per
                prompt; None decomposes the prompts; an empty list asks for plain guidance.
            max_concepts: How many of the concepts found in a prompt to keep, >= 1; None: as `steer` was told. Those
                that no text encoder reads are left out first.
            concept_embeds: Concept text -> its encoding, one row, by the names of the pipeline's arguments
                ("prompt_embeds", "pooled_prompt_embeds", ...), for a pipeline without its text encoder; without
                `concepts` these are the concepts. An empty text is the negative prompt of a denoiser with embedded
                guidance.
            edits: What the images are to show more of, or less of, beside what the rule does: a list of `Edit`s, or
                `Edits`, the same for all prompts.
            evaluations: Denoiser evaluations that an image may take, in the place of `num_inference_steps`: as many
                steps as fit, the same for all images; "plain": as many as plain guidance takes at the pipeline's own
                default. Concepts are left out, and warned of, before steps are fewer than 12. What `full_trace` or a
                `watcher` wants besides, and further seeds, come on top.
            full_trace: Evaluate the concepts at every step, also where the rule does not use them.
            observer: Called during the run with image, step and the `Correction` of each, whose tensors are on the
                device: reading them waits for it.
            watcher: Shown the predictions of every step.
            **arguments: The pipeline's own; its scale of classifier-free guidance (`guidance_scale`, or
                `true_cfg_scale` where the pipeline has that) defaults to the rule's. One that turns guidance off is for
                checkpoints of a few steps, and for rules that do without e(0).

        Returns:
            Images, trace and cost.

        Raises:
            InvalidArgument: An argument breaks a rule, such as a scale that turns off the guidance that a rule needs.
            GuidanceNotApplied: The rule did not run at every step.
            NotFinite: The denoiser or the decoder made NaN or infinity.
        """
        most = self.max_concepts if max_concepts is None else max_concepts
        asked = Asked(concepts, most, self.decomposer, concept_embeds, edits, evaluations)
        call = prepare(self.pipe, self._spec, self.rule, asked, {**arguments, "prompt": prompt})
        evaluated = call.evaluates or full_trace or watcher is not None
        looked = evaluated and call.guided
        calibration = fitted_calibration(self.pipe) if looked else None  # a broken file is told of before the run
        images = self._encoded(call, concept_embeds, evaluated)
        texts = [image.concepts for image in images]
        rule_session = RuleSession(self.rule, texts, full_trace=full_trace, observer=observer, watcher=watcher)
        session = self._session(call, images, rule_session)
        with in_turn(self.pipe), guiders_set(self._spec.scale, self.pipe, call.scales):
            output = self._run(session, MECHANISMS[call.mechanism](session), call.arguments)
        return self._result(session, output, calibration, call)

    def _encoded(
        self, call: Call, concept_embeds: Mapping[str, Any] | None, evaluated: bool
    ) -> list[ImageConditioning]:
        """Encode the texts of a call; `evaluated` says whether its concepts may be evaluated."""
        return encode_images(
            TextEncoder(self.pipe, self._spec.text, call.arguments, concept_embeds, guided=call.guided),
            self._spec,
            call.concepts,
            evaluated=evaluated,
            alone=call.changes and self.batch_invariant,
            embedded=call.mechanism == "embedded",
            null_tokens=self.rule.null_tokens,
            edits=[edit.text for edit in call.edits.each],
        )

    def _session(self, call: Call, images: Sequence[ImageConditioning], rule_session: RuleSession) -> SteeringSession:
        """Return what steers a call."""
        apart = call.changes and self.batch_invariant and len(images) > 1
        one_call, null_scope = not self.batch_invariant, self._null_scope()
        evaluator = Evaluator(images, self._spec.rows, apart=apart, one_call=one_call, null_scope=null_scope)
        editing = EditSession(call.edits, len(images)) if call.edits else None
        return SteeringSession(self.pipe, self._spec, rule_session, evaluator, call.scales, editing)

    def _result(self, session: SteeringSession, output: Any, calibration: Any, call: Call) -> Result:
        """Return what a run made, and warn of what changed nothing in it; probabilities are fitted under guidance."""
        rule_session = session.rule_session
        idle = rule_session.warn_if_idle(session.steps.count) if session.completed else []
        session.warn_if_nothing_spared()
        fitted = calibration if call.guided else None
        told = scored(fitted, rule_session.log_odds(), prompt_of_each(call.prompts, rule_session.concepts))
        return Result(
            images=output[0],
            trace=session.trace(),
            alignment=told.alignment,
            alignment_rank=told.rank,
            alignment_score=told.score,
            log_odds=told.log_odds,
            evaluations=rule_session.evaluations,
            output=output,
            idle=idle,
        )

    def _null_scope(self) -> Callable[[], AbstractContextManager[None]] | None:
        """Return what makes the context in which e(0) is evaluated; None where that is the pipeline's own."""
        share = self.rule.null_adapters
        if share == 1.0:
            return None
        layers = adapter_layers(self.pipe, self._spec.denoisers, self.rule.name)
        return partial(adapters_scaled, layers, share)

    def _run(self, session: SteeringSession, mechanism: Any, arguments: dict[str, Any]) -> Any:
        """Call the pipeline with the rule installed, and leave it as it was."""
        with ExitStack() as stack:
            if self.batch_invariant and (session.edited or not self.rule.is_plain):
                stack.enter_context(one_by_one_decoding(getattr(self.pipe, "vae", None)))
            stack.enter_context(decoding_tapped(getattr(self.pipe, "vae", None), session.note_decoded))
            stack.enter_context(tapped_method(self.pipe, "get_timesteps", session.steps.take_timesteps))
            if isinstance(mechanism, Sequential):
                stack.enter_context(tapped_method(self.pipe, "encode_prompt", mechanism.take_encoded))
            routes: list[Any] = []
            for index, name in enumerate(self._spec.denoisers):
                denoiser = getattr(self.pipe, name, None)
                if denoiser is not None:
                    check_no_cache(denoiser, f"pipe.{name}")
                    watch = PatchWatch(denoiser, f"pipe.{name}")
                    wrap = partial(_wrapper, mechanism, index, session, watch)
                    routes.append(stack.enter_context(replaced_forward(denoiser, wrap)))
            output = self.pipe(**_with_pausing_callbacks(arguments, routes))
        session.steps.check()
        session.finite.check()
        return output


def _wrapper(mechanism: Any, index: int, session: SteeringSession, watch: PatchWatch, forward: Forward) -> Forward:
    """Return a denoiser's forward with the rule in it."""
    watched = watch.watched(forward)

    def guided_forward(*args: Any, **kwargs: Any) -> Any:
        output = mechanism(index, watched, args, kwargs)
        session.note_finite(output)
        return output

    return guided_forward


def _with_pausing_callbacks(arguments: dict[str, Any], routes: Sequence[Any]) -> dict[str, Any]:
    """Return the arguments with callbacks that may run another pipeline on the same denoiser."""
    found = {name: arguments[name] for name in _CALLBACKS if arguments.get(name) is not None}
    paused = {name: pausing(callback, routes) for name, callback in found.items()}
    tensors = getattr(found.get("callback_on_step_end"), "tensor_inputs", None)  # of diffusers' PipelineCallback
    return {**arguments, **paused, **({} if tensors is None else {"callback_on_step_end_tensor_inputs": tensors})}


def steer(
    pipe: Any,
    rule: Rule[Any] | None = None,
    *,
    decomposer: Any = "lexicon",
    max_concepts: int = MAX_CONCEPTS,
    batch_invariant: bool = True,
) -> SteeredPipeline:
    """Steer a diffusers pipeline with a rule.

    The rule is installed for each call and taken off after it, also after an exception; offload, compilation, LoRA and
    schedulers may be changed on the pipeline before or after.

    Args:
        pipe: A diffusers pipeline of a class in `ARCHITECTURES` (docs/models.md).
        rule: The guidance rule; None is `BalancedSGT()`.
        decomposer: The back end that reads prompts: a name of `semguide.concepts.BACKENDS` or a `Decomposer`.
        max_concepts: How many of the concepts found in a prompt to keep, >= 1.
        batch_invariant: Evaluate each image in denoiser calls of its own, so that it is equal to the bit to the one it
            would be alone; False puts all images in one call, which is faster on accelerators and equal to rounding.

    Returns:
        A callable with the pipeline's own arguments.

    Raises:
        UnsupportedPipeline: The pipeline cannot be steered.
        InvalidArgument: The rule is no rule, or `max_concepts` is less than 1.
    """
    chosen = BalancedSGT() if rule is None else rule
    if not isinstance(chosen, Rule):
        raise InvalidArgument("rule", "must be a guidance rule such as BalancedSGT()", rule)
    check_max_concepts(max_concepts)
    return SteeredPipeline(
        pipe, chosen, decomposer=decomposer, max_concepts=max_concepts, batch_invariant=batch_invariant
    )
