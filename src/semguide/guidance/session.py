"""One run of a rule, whatever pipeline or program asks the denoiser: states, corrections, trace and cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from semguide.guidance.rule import Correction, Predictions, Rule, Step
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
        self._states = [_State(rule.initial_state(len(names))) for names in self.concepts]
        self._recorder = _Recorder()

    @property
    def active(self) -> bool:
        """Whether anything is to be done at some step but plain guidance."""
        return self._full_trace or self.watched or not self._rule.is_noop

    @property
    def watched(self) -> bool:
        """Whether a watcher is shown the predictions."""
        return self._watcher is not None

    def needs_concepts(self, image: int, step: int, count: int) -> bool:
        """Say whether the rule, the full trace or the watcher wants an image's concepts at a step (0-based)."""
        number, watcher = len(self.concepts[image]), self._watcher
        wanted = self._full_trace or (watcher is not None and watcher.needs_concepts(step, count))
        return number > 0 and (wanted or self._rule.needs_concepts(step, count, number))

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
        if self._observer is not None:
            self._observer(image, step.index, correction)
        return correction.delta

    def notify_watcher(self, image: int, step: Step, predictions: Predictions) -> None:
        """Show the watcher, if there is one, what was predicted for an image."""
        if self._watcher is not None:
            self._watcher.on_predictions(image, step, predictions)

    def trace(self, count: int) -> Trace:
        """Return the trace of `count` steps."""
        return self._recorder.trace(self._rule.name, self.concepts, count)


class _State:
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


class _Recorder:
    """Collects corrections on the device during a run and moves them off it once, at the end: mps has no float64."""

    def __init__(self) -> None:
        self._keys: list[tuple[int, int]] = []
        self._rows: list[Tensor] = []
        self._abstract = False

    def add(self, image: int, step: int, correction: Correction) -> None:
        """Take the correction of one image at one step."""
        parts = [correction.similarity, correction.gate, correction.weight]
        if correction.abstract is not None:
            self._abstract = True
            parts.append(correction.abstract.reshape(1))
        self._keys.append((image, step))
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
