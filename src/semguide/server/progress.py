"""Progress events of a running job: steps, trace and previews, and the check for cancellation at each step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from semguide.server.jobs import ImageTask
from semguide.server.latent_preview import encode_preview, predict_x0

PREVIEWS = 8
"""Previews of an image, about."""


class Cancelled(Exception):
    """Every job of the batch is cancelled."""


class ProgressReporter:
    """Publishes the progress of one pipeline call; pass `call_hooks` to the call.

    Reading the trace during the run waits for the device, so only the images of live jobs are observed.

    Args:
        tasks: The images of the call, in its order.
        on_step: Called after each step with an image and its finished steps.
    """

    def __init__(self, tasks: Sequence[ImageTask], on_step: Callable[[ImageTask, int], None]) -> None:
        self._tasks = tasks
        self._on_step = on_step
        self._live = any(task.job.live for task in tasks)
        self._corrections: dict[int, Any] = {}
        self._previous_latents: Any = None
        steps = tasks[0].steps
        self._preview_interval = max(1, round(steps / PREVIEWS))

    @property
    def call_hooks(self) -> dict[str, Any]:
        """Arguments to add to the pipeline call."""
        observer = {"observer": self._observe} if self._live else {}
        return {"callback_on_step_end": self._step_end, **observer}

    def _observe(self, image: int, step: int, correction: Any) -> None:
        del step
        self._corrections[image] = correction

    def _step_end(self, pipe: Any, step: int, _timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        if all(task.job.stop_requested for task in self._tasks):
            raise Cancelled
        latents = tensors["latents"]
        traces = _read_corrections(self._corrections)
        for index, task in enumerate(self._tasks):
            self._on_step(task, step + 1)
            if task.job.live:
                task.job.events.publish("step", _step_data(task, step, _steps(pipe, task), traces.get(index)))
                if task.job.events.previewed and (step + 1) % self._preview_interval == 0:
                    self._publish_preview(pipe, task, step, index, latents)
        self._corrections, self._previous_latents = {}, latents if self._live else None
        return tensors

    def _publish_preview(self, pipe: Any, task: ImageTask, step: int, index: int, latents: Any) -> None:
        row = slice(index, index + 1)
        before = None if self._previous_latents is None else self._previous_latents[row]
        x0 = predict_x0(pipe.scheduler, before, latents[row], step)
        url = None if x0 is None else encode_preview(pipe, x0)
        if url is not None:
            image = {"image": task.index}
            task.job.events.publish("preview", {**image, "step": step + 1, "url": url}, replaces=image)


def _steps(pipe: Any, task: ImageTask) -> int:
    """Return the steps of an image: a scheduler of second order takes more than are asked for.

    That of Sana Sprint counts the end as one, which its pipeline does not.
    """
    return max(task.steps, getattr(pipe, "num_timesteps", None) or len(pipe.scheduler.timesteps))


def _step_data(task: ImageTask, step: int, steps: int, trace: dict[str, list[float]] | None) -> dict[str, Any]:
    return {
        "image": task.index,
        "method": task.method.name,
        "seed": task.seed,
        "step": step + 1,
        "steps": steps,
        "trace": trace,
    }


def _read_corrections(corrections: dict[int, Any]) -> dict[int, dict[str, list[float]]]:
    """Copy similarity, gate and weight of a step's corrections to the host in one transfer, by image."""
    import torch

    if not corrections:
        return {}
    names = ("similarity", "gate", "weight")
    parts = [torch.stack([getattr(c, name) for name in names]) for c in corrections.values()]
    values = torch.cat(parts, dim=1).tolist()
    traces: dict[int, dict[str, list[float]]] = {}
    start = 0
    for index, part in zip(corrections, parts, strict=True):
        stop = start + part.shape[1]
        traces[index] = {name: row[start:stop] for name, row in zip(names, values, strict=True)}
        start = stop
    return traces
