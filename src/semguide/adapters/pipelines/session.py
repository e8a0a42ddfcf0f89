"""One call of a steered pipeline: its steps, its scales, and what of its predictions a rule gets to see."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from semguide.adapters.eps_scale import eps_scales
from semguide.adapters.pipelines.denoiser_call import DenoiserCall, prediction_of
from semguide.adapters.pipelines.evaluator import Evaluator
from semguide.adapters.pipelines.families.spec import PipelineSpec
from semguide.adapters.pipelines.guidance_scale import scale_at
from semguide.adapters.pipelines.patching import Forward
from semguide.errors import GuidanceNotApplied, notify
from semguide.guidance import FiniteCheck, Predictions, RuleSession, Step, Trace
from semguide.guidance.edit_session import EditSession
from semguide.guidance.geometry import upcast_half

_FIRST = -4
"""The dimension of channels in a video's prediction as rules get it, counted from the last."""


class StepCounter:
    """Counts the steps of one pipeline call: entries of its timesteps, however many denoiser calls each takes.

    Attributes:
        count: Number of steps; 0 before the first one.
        taken: Number of steps begun.
    """

    def __init__(self, pipe: Any) -> None:
        self.count = 0
        self.taken = 0
        self._pipe = pipe
        self._skipped = 0
        self._none_left = False
        self._scales: Sequence[Tensor | float] = ()

    def take_timesteps(self, result: Any) -> None:
        """Take what the pipeline's `get_timesteps` returned: the steps of an image-to-image call, the last ones."""
        self._skipped = len(self._pipe.scheduler.timesteps) - len(result[0])
        self._none_left = len(result[0]) == 0

    def begin_step(self) -> int:
        """Begin a step; returns its index."""
        if self.taken == 0:
            steps = getattr(self._pipe, "num_timesteps", None)
            self.count = len(self._pipe.scheduler.timesteps) - self._skipped if steps is None else int(steps)
        self.taken += 1
        return self.taken - 1

    def eps_scale(self, step: int, device: torch.device) -> Tensor | float:
        """Return eps difference / raw difference of a step."""
        if not self._scales:
            self._scales = eps_scales(self._pipe.scheduler, self.count, device, self._skipped)
        return self._scales[step]

    @property
    def interrupted(self) -> bool:
        """Whether a callback has asked the pipeline to stop."""
        return bool(getattr(self._pipe, "interrupt", False))

    def check(self) -> None:
        """Check after the run that every step was seen.

        Raises:
            GuidanceNotApplied: One was not.
        """
        interrupted = self.interrupted or (self._none_left and not self.taken)
        if self.taken > self.count or (self.taken < max(1, self.count) and not interrupted):
            raise GuidanceNotApplied(
                f"the rule ran at {self.taken} of {self.count} steps of {type(self._pipe).__name__}, whose denoiser "
                "was called past it; do not replace or re-hook the denoiser while the pipeline runs"
            )


class Evaluated(NamedTuple):
    """What was evaluated at a step besides prompt and negative prompt.

    Attributes:
        concepts: e(c_k) of some images: (concept, *dims); e(0) comes first where the pipeline makes none.
        edits: Those of edits that act at the step, alike.
    """

    concepts: Mapping[int, Tensor]
    edits: Mapping[int, Tensor]


class SteeringSession:
    """Steers one pipeline call.

    Args:
        pipe: The pipeline.
        spec: Its family's spec.
        rule_session: The rule's run over the images of the call.
        evaluator: Evaluates the denoiser.
        scales: From `scale_arguments`; empty where the guidance scale is an input of the denoiser, so that w is 1.
        edits: The run of the edits over the images, None without any.

    Attributes:
        steps: Counts the steps.
        finite: Takes note of NaN and infinity.
        spared: How many evaluations of e(0) were spared.
    """

    def __init__(
        self,
        pipe: Any,
        spec: PipelineSpec,
        rule_session: RuleSession,
        evaluator: Evaluator,
        scales: Mapping[str, float],
        edits: EditSession | None = None,
    ) -> None:
        self.pipe = pipe
        self.spec = spec
        self.rule_session = rule_session
        self.evaluator = evaluator
        self.steps = StepCounter(pipe)
        self.finite = FiniteCheck()
        self.spared = 0
        self._scales = scales
        self._guidance: dict[int, tuple[int, Tensor]] = {}
        self._edits = edits

    @property
    def active(self) -> bool:
        """Whether anything is to be done at some step but plain guidance."""
        return self.rule_session.active or self.edited

    @property
    def edited(self) -> bool:
        """Whether there are edits."""
        return self._edits is not None

    @property
    def completed(self) -> bool:
        """Whether the pipeline went to its last step."""
        return not self.steps.interrupted

    def note_finite(self, output: Any) -> None:
        """Take note of what the denoiser returns at the present step."""
        self.finite.note(
            f"the denoiser of {type(self.pipe).__name__} at step {self.steps.taken}", prediction_of(output)
        )

    def note_decoded(self, output: Any) -> None:
        """Check what the autoencoder decoded, and all predictions before it, while it is no picture yet.

        Raises:
            NotFinite: There is NaN or infinity in it.
        """
        decoded = getattr(output, "sample", output[0] if isinstance(output, tuple) else output)
        if isinstance(decoded, Tensor):
            self.finite.note(f"the VAE of {type(self.pipe).__name__}, which decodes after the last step,", decoded)
            self.finite.check()

    @property
    def images(self) -> int:
        """Number of images of the call."""
        return len(self.rule_session.concepts)

    def trace(self) -> Trace:
        """Return the trace."""
        return self.rule_session.trace(self.steps.count)

    def call_of(self, args: tuple[Any, ...], kwargs: dict[str, Any], branches: Sequence[int]) -> DenoiserCall | None:
        """Return a call of the denoiser, its rows counted as evaluations; None for one beside the guidance.

        Args:
            args: Given by position.
            kwargs: Given by name.
            branches: How many rows an image may have in it.

        Raises:
            GuidanceNotApplied: It has another number of rows.
        """
        call = DenoiserCall(self.spec.positional, self.spec.rows, args, kwargs)
        if any(call.argument(name) is not None for name in self.spec.extra):
            self.rule_session.count_evaluations(1)
            return None
        if call.total not in [self.images * number for number in branches]:
            raise GuidanceNotApplied(
                f"the denoiser of {type(self.pipe).__name__} got {call.total} rows for {self.images} images at "
                f"step {self.steps.taken + 1}; only calls with {' or '.join(map(str, branches))} rows per image can be "
                "steered"
            )
        self.rule_session.count_evaluations(call.total // self.images)
        return call

    def spare(self, step: int) -> frozenset[int]:
        """Return the images of which e(0), whose rows `call_of` has counted, is not evaluated at a step."""
        made = {image: when for image, (when, _) in self._guidance.items()}
        reuses = self.rule_session.reuses_guidance
        found = [image for image in range(self.images) if reuses(image, step, self.steps.count, made.get(image))]
        for image in found:
            self.rule_session.count_evaluations(-1, image)
        self.spared += len(found)
        return frozenset(found)

    def warn_if_nothing_spared(self) -> None:
        """Warn, after a run to its end, if e(0) was to be spared and was evaluated at every step."""
        if self.completed and self.rule_session.reuses and not self.spared:
            told = f"uncond_every changed nothing: none of the {self.steps.count} steps is left for it after the rule"
            notify(told, "take more steps, or end the rule's window earlier")

    def uncond_of(self, step: int, uncond: Tensor, cond: Tensor, spared: Collection[int]) -> Tensor:
        """Return e(0) of every image; of those of which it was not evaluated, e(P) less the p that was kept.

        Args:
            step: 0-based step.
            uncond: A row for each image.
            cond: e(P), alike.
            spared: What `spare` returned.
        """
        rows = list(uncond)
        for image, (here, prompt) in enumerate(zip(uncond, cond, strict=True)):
            if image in spared:
                rows[image] = (upcast_half(prompt) - self._guidance[image][1]).to(prompt.dtype)
            elif self.rule_session.reuses:
                self._guidance[image] = (step, upcast_half(prompt) - upcast_half(here))
        return torch.stack(rows) if spared else uncond

    def evaluate_concepts(self, forward: Forward, call: DenoiserCall, step: int) -> Evaluated:
        """Evaluate the concepts of the images that need them at a step, and the edits that act there."""
        wanted = self.rule_session.images_with_concepts(step, self.steps.count)
        edits = [] if self._edits is None else self._edits.needed(step, self.steps.count)
        found = self.evaluator.evaluate_concepts(forward, call, wanted, edits)
        for image, predictions in found.items():
            self.rule_session.count_evaluations(len(predictions), image)
        concepts = {image: found[image][: len(found[image]) - len(edits)] for image in wanted}
        return Evaluated(concepts, {image: rows[len(rows) - len(edits) :] for image, rows in found.items()})

    def step_at(self, index: int, denoiser: int, device: torch.device) -> Step:
        """Build the Step (index, scale, eps factor) for this denoiser call.

        Args:
            index: 0-based step.
            denoiser: Which of the pipeline's denoisers is at work.
            device: Where the eps factor will be used.

        Raises:
            GuidanceNotApplied: The pipeline has no such step.
        """
        count = self.steps.count
        if index >= count:
            raise GuidanceNotApplied(
                f"{type(self.pipe).__name__} called its denoiser at step {index + 1} of {count}; it can be "
                "steered only where it predicts once a step"
            )
        scale = scale_at(self.spec.scale, self.pipe, self._scales, denoiser) if self._scales else 1.0
        return Step(index, count, scale, self.spec.sign * self.steps.eps_scale(index, device))

    def correct(self, image: int, step: Step, uncond: Tensor, cond: Tensor, concepts: Tensor) -> Tensor:
        """Return the correction of one image, in float32 or better; a learned variance is not corrected."""
        delta = upcast_half(self.rule_session.correct(image, step, self._predictions(uncond, cond, concepts)))
        return self._as_predicted(delta, uncond)

    def correct_edits(self, image: int, step: Step, uncond: Tensor, edits: Tensor | None) -> Tensor | None:
        """Return what the edits add to one image, alike; None where they do nothing.

        Args:
            image: The image.
            step: The step.
            uncond: e(0).
            edits: e(c_k) of the edits that were evaluated, None where none was.
        """
        if self._edits is None or not self._edits.acts(step.index, step.count):
            return None
        found = self._predictions(uncond, uncond, uncond.new_empty((0, *uncond.shape)) if edits is None else edits)
        return self._as_predicted(self._edits.correct(image, step, found.uncond, found.concepts), uncond)

    def notify_watcher(self, image: int, step: Step, uncond: Tensor, cond: Tensor, concepts: Tensor | None) -> None:
        """Show the watcher, if there is one, what was predicted for an image."""
        if not self.rule_session.watched:
            return
        found = cond.new_empty((0, *cond.shape)) if concepts is None else concepts
        self.rule_session.notify_watcher(image, step, self._predictions(uncond, cond, found))

    def _predictions(self, uncond: Tensor, cond: Tensor, concepts: Tensor) -> Predictions:
        size = len(uncond) // 2 if self._learned_sigma(uncond) else len(uncond)
        parts = (uncond[:size], cond[:size], concepts[:, :size])
        if self.spec.channel_dim != _FIRST:
            parts = tuple(part.movedim(self.spec.channel_dim, _FIRST) for part in parts)
        return Predictions(*(part.contiguous() for part in parts))  # sums depend on the layout in the last bit

    def _as_predicted(self, delta: Tensor, uncond: Tensor) -> Tensor:
        """Return a correction with the dimensions of the prediction, zero for its learned variance."""
        if self.spec.channel_dim != _FIRST:
            delta = delta.movedim(_FIRST, self.spec.channel_dim)
        return delta if len(delta) == len(uncond) else torch.cat([delta, torch.zeros_like(delta)])

    def _learned_sigma(self, prediction: Tensor) -> bool:
        if not self.spec.learned_sigma:
            return False
        config = getattr(self.pipe, self.spec.denoisers[0]).config
        return len(prediction) == 2 * config.in_channels
