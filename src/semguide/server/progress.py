"""Looking on while a worker makes images: progress and trace to the jobs' events, and the way to stop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from semguide.server.batching import ImageTask
from semguide.server.latent_preview import draw_preview, estimate

PREVIEWS = 8
"""Previews of an image, about."""


class Stopped(Exception):
    """Nobody wants the images any more."""


class ProgressWatcher:
    """Watches one pipeline call; `hooks` are the arguments that it adds to the call.

    Only jobs that are followed step by step have the trace read during the run, which waits for the device.
    """

    def __init__(self, shots: Sequence[ImageTask], stepped: Callable[[ImageTask, int], None]) -> None:
        self._shots = shots
        self._stepped = stepped
        self._live = any(shot.job.live for shot in shots)
        self._corrections: dict[int, Any] = {}
        self._before: Any = None
        steps = shots[0].job.run.sampling.num_inference_steps
        self._every = max(1, round(steps / PREVIEWS))

    @property
    def hooks(self) -> dict[str, Any]:
        """The arguments of the call."""
        observed = {"observer": self._observe} if self._live else {}
        return {"callback_on_step_end": self._step_ended, **observed}

    def _observe(self, image: int, step: int, correction: Any) -> None:
        del step
        self._corrections[image] = correction

    def _step_ended(self, pipe: Any, step: int, _timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        if all(shot.job.cancelled for shot in self._shots):
            raise Stopped
        latents = tensors["latents"]
        values = _read(self._corrections)
        for index, shot in enumerate(self._shots):
            self._stepped(shot, step + 1)
            if shot.job.live:
                shot.job.feed.publish("step", _step_data(shot, step, values.get(index)))
                if shot.job.feed.followed and (step + 1) % self._every == 0:
                    self._preview(pipe, shot, step, index, latents)
        self._corrections, self._before = {}, latents if self._live else None
        return tensors

    def _preview(self, pipe: Any, shot: ImageTask, step: int, index: int, latents: Any) -> None:
        rows = slice(index, index + 1)
        before = None if self._before is None else self._before[rows]
        address = draw_preview(pipe, estimate(pipe.scheduler, before, latents[rows], step))
        if address is not None:
            image = {"image": shot.picture.index}
            shot.job.feed.publish("preview", {**image, "step": step + 1, "url": address}, replaces=image)


def _step_data(shot: ImageTask, step: int, values: dict[str, list[float]] | None) -> dict[str, Any]:
    picture = shot.picture
    return {
        "image": picture.index,
        "method": picture.method.name,
        "seed": picture.seed,
        "step": step + 1,
        "steps": shot.job.run.sampling.num_inference_steps,
        "trace": values,
    }


def _read(corrections: dict[int, Any]) -> dict[int, dict[str, list[float]]]:
    """Move the corrections of a step off the device, in one go."""
    import torch

    if not corrections:
        return {}
    parts = [torch.stack([c.similarity, c.gate, c.weight]) for c in corrections.values()]
    rows = torch.cat(parts, dim=1).tolist()
    found: dict[int, dict[str, list[float]]] = {}
    start = 0
    for (index, _), part in zip(corrections.items(), parts, strict=True):
        stop = start + part.shape[1]
        names = ("similarity", "gate", "weight")
        found[index] = {name: row[start:stop] for name, row in zip(names, rows, strict=True)}
        start = stop
    return found
