"""One call of a steered pipeline: what happens at each call of its denoiser."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from semguide.adapters.architectures import Architecture
from semguide.adapters.embeddings import Conditioning
from semguide.adapters.eps_scale import eps_scales
from semguide.adapters.hook import Forward
from semguide.adapters.recorder import Recorder
from semguide.adapters.rows import DenoiserCall, prediction_of, with_prediction
from semguide.errors import GuidanceNotApplied
from semguide.guidance import Correction, Predictions, Rule, Step, Trace
from semguide.guidance.geometry import widen

Observer = Callable[[int, int, Correction], None]
"""Told of every correction while a pipeline runs: image, step, correction."""


@dataclass(frozen=True)
class ImagePlan:
    """What to look at for one image.

    Attributes:
        concepts: The concept texts; none for plain classifier-free guidance.
        conditioning: Denoiser arguments of the concepts, one row each; empty without concepts.
    """

    concepts: tuple[str, ...]
    conditioning: Conditioning


class GuidedRun:
    """Steers one pipeline call.

    The pipeline computes u + w (c - u) from the rows [u; c] it gets. It gets u - delta / (w - 1) in the place of u,
    which makes that u + w (c - u) + delta; c stays true, for guidance_rescale. Where delta is 0, u is unchanged to the
    bit.
    """

    def __init__(
        self,
        pipe: Any,
        architecture: Architecture,
        rule: Rule[Any],
        images: Sequence[ImagePlan],
        *,
        full_trace: bool,
        batch_invariant: bool,
        observer: Observer | None = None,
    ) -> None:
        self.evaluations = [0] * len(images)
        self._pipe = pipe
        self._architecture = architecture
        self._rule = rule
        self._images = images
        self._full_trace = full_trace
        self._apart = batch_invariant and not rule.inert and len(images) > 1
        self._one_call = not batch_invariant
        self._observer = observer
        self._recorder = Recorder([image.concepts for image in images])
        self._states = [rule.initial_state(len(image.concepts)) for image in images]
        self._fired = 0
        self._count = 0
        self._eps_scales: Sequence[Tensor | float] = ()

    def wrap(self, forward: Forward) -> Forward:
        """Return the denoiser's forward with the rule in it."""

        def guided_forward(*args: Any, **kwargs: Any) -> Any:
            call = DenoiserCall(self._architecture.positional, args, kwargs)
            step = self._next_step()
            active = not self._rule.inert or self._full_trace
            if not self._pipe.do_classifier_free_guidance or not active:
                self._count_evaluations(2 if self._pipe.do_classifier_free_guidance else 1)
                return forward(*args, **kwargs)
            return self._guided(forward, call, step)

        return guided_forward

    def check(self) -> None:
        """Check after the run that the rule was there at every step.

        Raises:
            GuidanceNotApplied: It was not.
        """
        interrupted = bool(getattr(self._pipe, "interrupt", False))
        if self._fired > self._count or (self._fired < max(1, self._count) and not interrupted):
            raise GuidanceNotApplied(
                f"the rule ran at {self._fired} of {self._count} steps of {type(self._pipe).__name__}, whose denoiser "
                "was called past it; do not replace or re-hook the denoiser while the pipeline runs"
            )

    def trace(self) -> Trace:
        """Return the trace."""
        return self._recorder.trace(self._rule.name, self._count)

    def _next_step(self) -> int:
        step = self._fired
        self._fired += 1
        if step == 0:
            self._count = int(self._pipe.num_timesteps)
        return step

    def _count_evaluations(self, number: int) -> None:
        self.evaluations = [count + number for count in self.evaluations]

    def _guided(self, forward: Forward, call: DenoiserCall, step: int) -> Any:
        if call.total != 2 * len(self._images) or step >= self._count:
            raise GuidanceNotApplied(
                f"the denoiser of {type(self._pipe).__name__} got {call.total} rows for {len(self._images)} images "
                f"at step {step + 1} of {self._count}; only calls with [uncond; cond] rows, once a step, can be steered"
            )
        if not self._eps_scales:
            self._eps_scales = eps_scales(self._pipe.scheduler, self._count, call.sample.device)
        self._count_evaluations(2)
        needed = self._full_trace or self._rule.needs_concepts(step, self._count)
        wanted = [i for i, image in enumerate(self._images) if image.concepts and needed]
        output = self._host_output(forward, call)
        uncond, cond = prediction_of(output).chunk(2)
        steered = list(uncond)
        for i, concepts in self._concept_predictions(forward, call, wanted).items():
            self.evaluations[i] += len(concepts)
            steered[i] = self._steer(i, step, Predictions(uncond[i], cond[i], concepts))
        return with_prediction(output, torch.cat([torch.stack(steered), cond]))

    def _steer(self, image: int, step: int, predictions: Predictions) -> Tensor:
        """Return u - delta / (w - 1) of one image."""
        scale = float(self._pipe.guidance_scale)
        place = Step(step, self._count, scale, self._eps_scales[step])
        correction, self._states[image] = self._rule.correct(predictions, place, self._states[image])
        self._recorder.add(image, step, correction)
        if self._observer is not None:
            self._observer(image, step, correction)
        steered = widen(predictions.uncond) - widen(correction.delta) / (scale - 1)
        return steered.to(predictions.uncond.dtype)

    def _host_output(self, forward: Forward, call: DenoiserCall) -> Any:
        """Return what the denoiser makes of the pipeline's call, image by image where asked."""
        if not self._apart:
            return call.evaluate(forward)
        count = len(self._images)
        outputs = [call.at([i, count + i]).evaluate(forward) for i in range(count)]
        pairs = [prediction_of(output) for output in outputs]
        rows = [pair[:1] for pair in pairs] + [pair[1:] for pair in pairs]
        return with_prediction(outputs[0], torch.cat(rows))

    def _concept_predictions(self, forward: Forward, call: DenoiserCall, wanted: Sequence[int]) -> Mapping[int, Tensor]:
        """Return e(c_k) of each wanted image: (concept, *dims)."""
        if not wanted:
            return {}
        if not self._one_call:
            return {i: self._evaluate(forward, call, [i]) for i in wanted}
        sizes = [len(self._images[i].concepts) for i in wanted]
        return dict(zip(wanted, self._evaluate(forward, call, wanted).split(sizes), strict=True))

    def _evaluate(self, forward: Forward, call: DenoiserCall, wanted: Sequence[int]) -> Tensor:
        """Return the predictions for the concepts of some images, in one call made of their cond rows."""
        plans = [self._images[i] for i in wanted]
        rows = [len(self._images) + i for i in wanted for _ in self._images[i].concepts]
        names = plans[0].conditioning
        conditioning = {name: torch.cat([plan.conditioning[name] for plan in plans]) for name in names}
        return prediction_of(call.at(rows).conditioned(conditioning).evaluate(forward))
