"""The two ways in which pipelines call their denoiser for classifier-free guidance, with the rule in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from semguide.adapters.guided_run import GuidedRun
from semguide.adapters.hook import Forward
from semguide.adapters.rows import DenoiserCall, prediction_of, with_prediction
from semguide.errors import GuidanceNotApplied


class Concat:
    """e(0) and e(P) are rows of one call."""

    def __init__(self, run: GuidedRun) -> None:
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
        halves["uncond"] = run.steered(step, denoiser, halves["uncond"], halves["cond"], found)
        return with_prediction(output, torch.cat([halves[name] for name in self._order]))


@dataclass(frozen=True)
class _Half:
    """The prompt's call of a step whose unconditional call is still to come."""

    step: int
    call: DenoiserCall
    text: Any
    prediction: Tensor


class Sequential:
    """e(P) and e(0) are two calls for one noisy sample, told apart by their conditioning, the prompt's first."""

    def __init__(self, run: GuidedRun) -> None:
        self._run = run
        self._half: _Half | None = None
        self._text = next(iter(run.architecture.text.conditioning.values()))
        self._negative: Any = None

    def __call__(self, denoiser: int, forward: Forward, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return what the denoiser's forward returns, with e(0) steered."""
        call = self._run.call_of(args, kwargs, (1,))
        if call is None:
            return forward(*args, **kwargs)
        self._run.count(1)
        half, self._half = self._half, None
        text = call.argument(self._text)
        if half is not None and call.sample is half.call.sample and text is not half.text:
            self._negative = text
            return self._uncond(denoiser, forward, call, half)
        if text is not None and text is self._negative:
            raise GuidanceNotApplied(
                f"{type(self._run.pipe).__name__} asked for the unconditional prediction before the prompt's; it can "
                "be steered only the other way round"
            )
        return self._cond(forward, call, text)

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
        return with_prediction(output, run.steered(half.step, denoiser, prediction_of(output), half.prediction, found))


MECHANISMS = {"concat": Concat, "sequential": Sequential}
