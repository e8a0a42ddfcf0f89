"""`steer`: any supported diffusers pipeline in, the same pipeline with a guidance rule out."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from semguide.adapters.architectures import architecture_of
from semguide.adapters.embeddings import ConceptEncoder, with_prompts_encoded_apart
from semguide.adapters.guided_run import GuidedRun, ImagePlan, Observer
from semguide.adapters.hook import one_by_one_decoding, replaced_forward
from semguide.adapters.requests import concepts_of, prompts_of, warn_of_missing, warn_of_truncation
from semguide.errors import InvalidArgument
from semguide.guidance import SGT, Rule, Trace
from semguide.guidance.checks import check_number
from semguide.types import Concept


@dataclass(frozen=True, eq=False)
class Result:
    """What a steered pipeline made.

    Attributes:
        images: What the pipeline returns as images, in its own type.
        trace: Similarity, gate and weight per image, step and concept.
        alignment: Per image and concept the calibrated probability that it is right; None until there is a detector.
        evaluations: Denoiser evaluations per image; plain classifier-free guidance takes 2 a step.
        output: What the pipeline returned, whole.
    """

    images: Any
    trace: Trace
    alignment: list[list[float]] | None
    evaluations: list[int]
    output: Any


class SteeredPipeline:
    """A pipeline that a rule steers. Its calls take the pipeline's own arguments; the pipeline itself is unchanged."""

    def __init__(self, pipe: Any, rule: Rule[Any], *, decomposer: Any, batch_invariant: bool) -> None:
        self.pipe = pipe
        self.rule = rule
        self.decomposer = decomposer
        self.batch_invariant = batch_invariant
        self._architecture = architecture_of(pipe)

    def __call__(
        self,
        prompt: str | list[str] | None = None,
        *,
        concepts: Any = None,
        full_trace: bool = False,
        observer: Observer | None = None,
        **arguments: Any,
    ) -> Result:
        """Run the pipeline with the rule.

        Args:
            prompt: As for the pipeline; None with `prompt_embeds`.
            concepts: Texts or `Concept`s to keep in the image, for all prompts, or a list of such lists, one per
                prompt; None decomposes the prompts; an empty list asks for plain guidance.
            full_trace: Evaluate the concepts at every step, also where the rule does not use them.
            observer: Called during the run with image, step and the `Correction` of each, whose tensors are on the
                device: reading them waits for it.
            **arguments: The pipeline's own; `guidance_scale` defaults to the rule's.

        Returns:
            Images, trace and cost.

        Raises:
            InvalidArgument: An argument breaks a rule, such as guidance_scale > 1.
            GuidanceNotApplied: The rule did not run at every step.
        """
        arguments = {**arguments, "prompt": prompt, "guidance_scale": self._guidance_scale(arguments)}
        prompts = prompts_of(arguments)
        found = concepts_of(prompts, concepts, self.decomposer)
        if not self.rule.inert:
            if concepts is None:
                warn_of_missing(prompts, found)
            warn_of_truncation(self.pipe, prompts, found)
        run = GuidedRun(
            self.pipe,
            self._architecture,
            self.rule,
            self._plans(found, arguments, full_trace),
            full_trace=full_trace,
            batch_invariant=self.batch_invariant,
            observer=observer,
        )
        output = self._run(run, arguments)
        images = output[0] if isinstance(output, tuple) else output.images
        return Result(images, run.trace(), None, run.evaluations, output)

    def _guidance_scale(self, arguments: dict[str, Any]) -> float:
        given = arguments.get("guidance_scale")
        scale = self.rule.guidance_scale if given is None else given
        check_number("guidance_scale", scale, 0.0)
        if scale <= 1:
            raise InvalidArgument(
                f"guidance_scale must be > 1, got {scale!r}: at 1 or below the pipeline makes no unconditional "
                "prediction, which the rule needs; use the pipeline itself for a run without guidance"
            )
        return scale

    def _plans(self, concepts: list[list[Concept]], arguments: dict[str, Any], full_trace: bool) -> list[ImagePlan]:
        """Return one plan per image, in the pipeline's order: all images of a prompt before the next prompt."""
        encoder = ConceptEncoder(self.pipe, self._architecture, arguments)
        evaluated = full_trace or not self.rule.inert
        plans: list[ImagePlan] = []
        for found in concepts:
            texts = tuple(concept.text for concept in found)
            plan = ImagePlan(texts, encoder.encode(texts) if texts and evaluated else {})
            plans += [plan] * int(arguments.get("num_images_per_prompt") or 1)
        return plans

    def _run(self, run: GuidedRun, arguments: dict[str, Any]) -> Any:
        """Call the pipeline with the rule installed, and leave it as it was."""
        with ExitStack() as stack:
            if self.batch_invariant and not self.rule.inert:
                arguments = with_prompts_encoded_apart(self.pipe, self._architecture, arguments)
                stack.enter_context(one_by_one_decoding(self.pipe.vae))
            stack.enter_context(replaced_forward(getattr(self.pipe, self._architecture.denoiser), run.wrap))
            output = self.pipe(**arguments)
        run.check()
        return output


def steer(
    pipe: Any, rule: Rule[Any] | None = None, *, decomposer: Any = "lexicon", batch_invariant: bool = True
) -> SteeredPipeline:
    """Steer a diffusers pipeline with a rule.

    The rule is installed for each call and taken off after it, also after an exception; offload, compilation, LoRA and
    schedulers may be changed on the pipeline before or after.

    Args:
        pipe: A `StableDiffusionPipeline` or `StableDiffusionXLPipeline`.
        rule: The guidance rule; None is `SGT()`.
        decomposer: The back end that reads prompts: a name of `semguide.concepts.BACKENDS` or a `Decomposer`.
        batch_invariant: Evaluate each image in denoiser calls of its own, so that it is equal to the bit to the one it
            would be alone; False puts all images in one call, which is faster on accelerators and equal to rounding.

    Returns:
        A callable with the pipeline's own arguments.

    Raises:
        UnsupportedPipeline: The pipeline cannot be steered.
        InvalidArgument: The rule is no rule.
    """
    chosen = SGT() if rule is None else rule
    if not isinstance(chosen, Rule):
        raise InvalidArgument(f"rule must be a guidance rule such as SGT(), got {rule!r}")
    return SteeredPipeline(pipe, chosen, decomposer=decomposer, batch_invariant=batch_invariant)
