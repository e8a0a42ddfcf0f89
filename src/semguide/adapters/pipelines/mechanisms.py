"""The ways in which pipelines call their denoiser, with the rule in them.

A pipeline with classifier-free guidance computes u + w (c - u) from the predictions u and c that it gets. It gets
u - delta / (w - 1) in the place of u, which makes that u + w (c - u) + delta; c stays true, for what the pipeline does
with it afterwards: rescaling, norms, skip-layer guidance. Where delta is 0, u is unchanged to the bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from semguide.adapters.pipelines.denoiser_call import DenoiserCall, prediction_of, with_prediction
from semguide.adapters.pipelines.patching import Forward
from semguide.adapters.pipelines.session import SteeringSession
from semguide.errors import GuidanceNotApplied
from semguide.guidance.geometry import upcast_half


def steered(
    run: SteeringSession, step: int, denoiser: int, uncond: Tensor, cond: Tensor, concepts: Mapping[int, Tensor]
) -> Tensor:
    """Return u - delta / (w - 1) of each image.

    Args:
        run: The run.
        step: 0-based step.
        denoiser: Which of the pipeline's denoisers made the predictions.
        uncond: e(0), a row per image.
        cond: e(P), alike.
        concepts: e(c_k) of some images: (concept, *dims).
    """
    place = run.place(step, denoiser, uncond.device)
    rows = list(uncond)
    for i, found in concepts.items():
        delta = run.delta(i, place, uncond[i], cond[i], found)
        rows[i] = (upcast_half(uncond[i]) - delta / (place.guidance_scale - 1)).to(uncond.dtype)
    for i in range(len(rows)):
        run.see(i, place, uncond[i], cond[i], concepts.get(i))
    return torch.stack(rows)


class Concat:
    """e(0) and e(P) are rows of one call."""

    def __init__(self, run: SteeringSession) -> None:
        self._run = run
        self._order = ("cond", "uncond") if run.architecture.cond_first else ("uncond", "cond")

    def __call__(self, denoiser: int, forward: Forward, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return what the denoiser's forward returns, with e(0) steered."""
        run = self._run
        call = run.call_of(args, kwargs, (1, 2))
        if call is None:
            return forward(*args, **kwargs)
        step, count = run.clock.tick(), len(run.images)
        run.count(call.total // count)
        if call.total == count or not run.active:
            return call.evaluate(forward)
        output = run.evaluator.host(forward, call, self._order)
        halves = dict(zip(self._order, prediction_of(output).chunk(2), strict=True))
        first = self._order.index("cond") * count
        found = run.concepts(forward, call.at(range(first, first + count)), step)
        halves["uncond"] = steered(run, step, denoiser, halves["uncond"], halves["cond"], found)
        return with_prediction(output, torch.cat([halves[name] for name in self._order]))


@dataclass(frozen=True)
class _Half:
    """The prompt's call of a step whose unconditional call is still to come."""

    step: int
    call: DenoiserCall
    text: Any
    prediction: Tensor


class Sequential:
    """e(P) and e(0) are two calls for one noisy sample, told apart by their conditioning, the prompt's first.

    The order is checked: what the pipeline's `encode_prompt` returned for the negative prompt must not come first.
    """

    def __init__(self, run: SteeringSession) -> None:
        self._run = run
        self._half: _Half | None = None
        self._name, self._text = next(iter(run.architecture.text.conditioning.items()))
        self._encoded: list[Any] = []

    def watch_encoded(self, result: Any) -> None:
        """Take what the pipeline's `encode_prompt` returned."""
        self._encoded.append(result)

    def __call__(self, denoiser: int, forward: Forward, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return what the denoiser's forward returns, with e(0) steered."""
        call = self._run.call_of(args, kwargs, (1,))
        if call is None:
            return forward(*args, **kwargs)
        self._run.count(1)
        half, self._half = self._half, None
        text = call.argument(self._text)
        if half is not None and call.sample is half.call.sample and text is not half.text:
            return self._uncond(denoiser, forward, call, half)
        if text is not None and text is self._negative():
            raise GuidanceNotApplied(
                f"{type(self._run.pipe).__name__} asked for the unconditional prediction before the prompt's; it can "
                "be steered only the other way round"
            )
        return self._cond(forward, call, text)

    def _negative(self) -> Any:
        """Return the negative prompt's embeddings; None if the pipeline encoded none."""
        text = self._run.architecture.text
        if text.together:
            return self._encoded[0][text.embeds.index(f"negative_{self._name}")] if self._encoded else None
        return self._encoded[1][text.embeds.index(self._name)] if len(self._encoded) > 1 else None

    def _cond(self, forward: Forward, call: DenoiserCall, text: Any) -> Any:
        step = self._run.clock.tick()
        output = self._run.evaluator.host(forward, call, ("cond",))
        self._half = _Half(step, call, text, prediction_of(output))
        return output

    def _uncond(self, denoiser: int, forward: Forward, call: DenoiserCall, half: _Half) -> Any:
        run = self._run
        if not run.active:
            return call.evaluate(forward)
        output = run.evaluator.host(forward, call, ("uncond",))
        found = run.concepts(forward, half.call, half.step)
        uncond = steered(run, half.step, denoiser, prediction_of(output), half.prediction, found)
        return with_prediction(output, uncond)


class Embedded:
    """e(P) is the only call, of a denoiser that takes the guidance scale as an input; it returns e(P) + delta.

    Such a denoiser was trained to predict u + w (c - u) of the one it was distilled from, so its own differences are
    those of that one times w, and its own w is 1.
    """

    def __init__(self, run: SteeringSession) -> None:
        self._run = run

    def __call__(self, denoiser: int, forward: Forward, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return what the denoiser's forward returns, steered."""
        run = self._run
        call = run.call_of(args, kwargs, (1,))
        if call is None:
            return forward(*args, **kwargs)
        step = run.clock.tick()
        run.count(1)
        output = run.evaluator.host(forward, call, ("cond",))
        found = run.concepts(forward, call, step) if run.active else {}
        cond = prediction_of(output)
        place, rows = run.place(step, denoiser, cond.device), list(cond)
        for i, (uncond, *concepts) in found.items():
            delta = run.delta(i, place, uncond, cond[i], torch.stack(concepts))
            rows[i] = (upcast_half(cond[i]) + delta).to(cond.dtype)
            run.see(i, place, uncond, cond[i], torch.stack(concepts))
        return with_prediction(output, torch.stack(rows))


MECHANISMS = {"concat": Concat, "sequential": Sequential, "embedded": Embedded}
