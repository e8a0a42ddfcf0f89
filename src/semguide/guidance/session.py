"""One run of a rule, whatever pipeline or program asks the denoiser: states, corrections, trace and cost."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, Protocol, cast

import numpy as np
import torch
from torch import Tensor

from semguide.errors import CorrectedNothing, NotFinite, RuleNeverActed
from semguide.guidance.rule import Correction, Predictions, Rule, Step
from semguide.guidance.signal_score import SignalRecorder
from semguide.guidance.trace import Trace

Observer = Callable[[int, int, Correction], None]
"""Told of every correction during a run: image, step, correction."""


class Watcher(Protocol):
    """Shown what the denoiser predicts at every step, whatever the rule makes of it."""

    def needs_concepts(self, step: int, count: int) -> bool:
        """Say whether the concepts are to be evaluated at a step (0-based) of `count`, also where no rule uses them."""
        ...

    def on_predictions(self, image: int, step: Step, predictions: Predictions) -> None:
        """Take the predictions for an image, after the step's last; no concepts where they were not evaluated.

        What it raises ends the run.
        """
        ...


class RuleSession:
    """One run of a rule over some images, from the first step to the last.

    The denoiser may be called several times in a step, as Heun's method does: the state of an image goes on by one
    when a later step is first corrected, and of several corrections in a step the trace keeps the last.

    Args:
        rule: The rule.
        concepts: The concept texts of each image.
        full_trace: Whether to evaluate concepts that the rule does not use.
        observer: Told of every correction.
        watcher: Shown the predictions of every step.

    Attributes:
        concepts: The concept texts of each image.
        evaluations: Denoiser evaluations of each image so far.
    """

    def __init__(
        self,
        rule: Rule[Any],
        concepts: Sequence[Sequence[str]],
        *,
        full_trace: bool = False,
        observer: Observer | None = None,
        watcher: Watcher | None = None,
    ) -> None:
        self.concepts = tuple(tuple(names) for names in concepts)
        self.evaluations = [0] * len(self.concepts)
        self._rule = rule
        self._full_trace = full_trace
        self._observer = observer
        self._watcher = watcher
        self._states = [StepState(rule.initial_state(len(names))) for names in self.concepts]
        self._recorder = _Recorder()
        self._signals = SignalRecorder()

    @property
    def active(self) -> bool:
        """Whether anything is to be done at some step but plain guidance."""
        return self._full_trace or self.watched or not self._rule.is_plain

    @property
    def acts_without_concepts(self) -> bool:
        """Whether the rule corrects images of which no concept was evaluated."""
        return not (self._rule.uses_concepts or self._rule.is_noop)

    @property
    def watched(self) -> bool:
        """Whether a watcher is shown the predictions."""
        return self._watcher is not None

    def needs_concepts(self, image: int, step: int, count: int) -> bool:
        """Say whether the rule, the full trace or the watcher wants an image's concepts at a step (0-based)."""
        number, watcher = len(self.concepts[image]), self._watcher
        wanted = self._full_trace or (watcher is not None and watcher.needs_concepts(step, count))
        return number > 0 and (wanted or self._rule.needs_concepts(step, count, number))

    @property
    def reuses(self) -> bool:
        """Whether some steps may keep p."""
        return self._rule.uncond_every > 1

    def reuses_guidance(self, image: int, step: int, count: int, made: int | None) -> bool:
        """Say whether an image keeps its p at a step (0-based).

        Args:
            image: The image.
            step: The step.
            count: Number of steps.
            made: The step at which e(0) was evaluated last; None: at none.
        """
        recent = made is not None and 0 < step - made < self._rule.uncond_every
        return recent and self._rule.reuses_guidance(step, count, len(self.concepts[image]))

    def images_with_concepts(self, step: int, count: int) -> list[int]:
        """Return the images whose concepts are to be evaluated at a step (0-based)."""
        return [image for image in range(len(self.concepts)) if self.needs_concepts(image, step, count)]

    def count_evaluations(self, number: int, image: int | None = None) -> None:
        """Count denoiser evaluations, of one image or of each."""
        for i in range(len(self.evaluations)) if image is None else [image]:
            self.evaluations[i] += number

    def correct(self, image: int, step: Step, predictions: Predictions) -> Tensor:
        """Return the rule's correction of an image's classifier-free guidance, and record it.

        Returns:
            The correction, of the predictions' shape and dtype.
        """
        state = self._states[image].at(step.index)
        correction, self._states[image].following = self._rule.correct(predictions, step, state)
        self._recorder.add(image, step.index, correction)
        self._signals.add(image, step, predictions)
        if self._observer is not None:
            self._observer(image, step.index, correction)
        return correction.delta

    def notify_watcher(self, image: int, step: Step, predictions: Predictions) -> None:
        """Show the watcher, if there is one, what was predicted for an image."""
        if self._watcher is not None:
            self._watcher.on_predictions(image, step, predictions)

    def idle(self, count: int) -> list[RuleNeverActed | None]:
        """Return of each image, after a run of `count` steps, why the rule did not correct it; None where it did."""
        acted = self._recorder.acted()
        return [
            None if image in acted else idle_warning(self._rule, names, count, corrected=True)
            for image, names in enumerate(self.concepts)
        ]

    def warn_if_idle(self, count: int) -> list[RuleNeverActed | None]:
        """Warn once of images that the rule was to correct and did not; returns what `idle` does."""
        found = self.idle(count)
        for warning in filter(None, found):
            warnings.warn(warning, stacklevel=3)
            break
        return found

    def trace(self, count: int) -> Trace:
        """Return the trace of `count` steps."""
        return self._recorder.trace(self._rule.name, self.concepts, count)

    def log_odds(self) -> list[list[float] | None]:
        """Return of each image the log-odds that its concepts are right, by `semguide.guidance.signal_score`.

        They come of those of the first steps at which its concepts were evaluated anyway; None where there was none.
        """
        return self._signals.log_odds(len(self.concepts))


def idle_warning(
    rule: Rule[Any], concepts: Sequence[str], count: int, *, corrected: bool = False
) -> RuleNeverActed | None:
    """Return the warning that a rule never acts on an image; None where it does, or is not asked to.

    Args:
        rule: The rule.
        concepts: The image's concept texts.
        count: Number of steps.
        corrected: Whether it is known that every correction was zero.
    """
    number, same = len(concepts), "the images are those without it"
    if rule.is_noop or rule.replaces_uncond or not (number or not rule.uses_concepts):
        return None
    if rule.uses_concepts and len(set(concepts)) < rule.min_concepts:
        return RuleNeverActed(f"{lone_concept(rule, concepts)}: {same}", "name more concepts in {concepts}")
    if rule.uses_concepts and not any(rule.needs_concepts(step, count, number) for step in range(count)):
        told = f"{rule.name} acts at none of the {count} steps: {same}"
        return RuleNeverActed(told, "take more steps, or widen the rule's window")
    if not corrected:
        return None
    return CorrectedNothing(
        f"{rule.name} corrected nothing at any of the {count} steps: {same}", "take a stronger setting"
    )


def lone_concept(rule: Rule[Any], concepts: Sequence[str]) -> str:
    """Say that a rule has nothing to do with concepts that are one and the same."""
    return f"the only concept is {concepts[0]!r}, and {rule.name} balances concepts against each other"


class StepState:
    """What a rule remembers of one image: before the present step, and after its last correction."""

    def __init__(self, first: Any) -> None:
        self.following = first
        self._present = first
        self._step = -1

    def at(self, step: int) -> Any:
        """Return the state before a step; a later step than all before begins with what followed the last one."""
        if step > self._step:
            self._step, self._present = step, self.following
        return self._present


class FiniteCheck:
    """Notes on the device at which steps a prediction is finite, and reads that once, at the end of the run."""

    def __init__(self) -> None:
        self._flags: list[Tensor] = []
        self._where: list[str] = []

    def note(self, where: str, prediction: Tensor) -> None:
        """Take note of a prediction made at a place such as "the denoiser at step 3"."""
        self._where.append(where)
        self._flags.append(prediction.detach().isfinite().all())

    def check(self) -> None:
        """Check that all were finite. Waits for the device.

        Raises:
            NotFinite: One was not.
        """
        if not self._flags:
            return
        found = torch.stack([flag.to(self._flags[0].device) for flag in self._flags])
        flags: list[bool] = cast(Any, found).tolist()
        where, self._flags, self._where = self._where, [], []
        if False in flags:
            raise NotFinite(
                f"{where[flags.index(False)]} made NaN or infinity, most likely an overflow in half precision; load "
                "the model in bfloat16 or float32 (the VAE alone in float32 where only it fails), or lower the "
                "guidance scale and the rule's strength"
            )


class _Recorder:
    """Collects corrections on the device during a run and moves them off it once, at the end: mps has no float64."""

    def __init__(self) -> None:
        self._keys: list[tuple[int, int]] = []
        self._rows: list[Tensor] = []
        self._acted: list[Tensor] = []
        self._abstract = False

    def acted(self) -> set[int]:
        """Return the images of which some correction was not zero."""
        flags: list[bool] = cast(Any, torch.stack(self._acted)).tolist() if self._acted else []
        return {image for (image, _), flag in zip(self._keys, flags, strict=True) if flag}

    def add(self, image: int, step: int, correction: Correction) -> None:
        """Take the correction of one image at one step."""
        parts = [correction.similarity, correction.gate, correction.weight]
        if correction.abstract is not None:
            self._abstract = True
            parts.append(correction.abstract.reshape(1))
        self._keys.append((image, step))
        self._acted.append(correction.delta.any())
        self._rows.append(torch.cat(parts))

    def trace(self, method: str, concepts: tuple[tuple[str, ...], ...], count: int) -> Trace:
        """Return the trace of `count` steps."""
        tables = [np.full((count, 3 * len(names) + 1), np.nan) for names in concepts]
        moved = torch.cat(self._rows).cpu().double().numpy() if self._rows else np.empty(0)
        start = 0
        for (image, step), row in zip(self._keys, self._rows, strict=True):
            tables[image][step, : len(row)] = moved[start : start + len(row)]
            start += len(row)
        columns = [np.split(table[:, :-1], 3, axis=1) for table in tables]
        return Trace(
            method,
            concepts,
            similarity=tuple(part[0] for part in columns),
            gate=tuple(part[1] for part in columns),
            weight=tuple(part[2] for part in columns),
            abstract=tuple(table[:, -1] if self._abstract else None for table in tables),
        )
