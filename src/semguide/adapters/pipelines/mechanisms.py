"""The ways in which pipelines call their denoiser, with the rule in them.

A pipeline with classifier-free guidance computes u + w (c - u) from the predictions u and c that it gets. It gets
u - delta / (w - 1) in the place of u, which makes that u + w (c - u) + delta; c stays true, for what the pipeline does
with it afterwards: rescaling, norms, skip-layer guidance. Where delta is 0, u is unchanged to the bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from semguide.adapters.pipelines.denoiser_call import DenoiserCall, prediction_of, with_prediction
from semguide.adapters.pipelines.patching import Forward
from semguide.adapters.pipelines.session import Evaluated, SteeringSession
from semguide.errors import GuidanceNotApplied
from semguide.guidance.geometry import upcast_half


def steered(
    session: SteeringSession, index: int, denoiser: int, uncond: Tensor, cond: Tensor, found: Evaluated
) -> Tensor:
    """Return u - delta / (w - 1) of each image.

    Args:
        session: The pipeline call.
        index: 0-based step.
        denoiser: Which of the pipeline's denoisers made the predictions.
        uncond: e(0), a row per image.
        cond: e(P), alike.
        found: What else was evaluated.
    """
    step = session.step_at(index, denoiser, uncond.device)
    rows = list(uncond)
    images = range(len(rows)) if session.rule_session.acts_without_concepts else ()
    concepts = {**{i: cond.new_empty((0, *cond[i].shape)) for i in images}, **found.concepts}
    for i in range(len(rows)):
        delta = session.correct(i, step, uncond[i], cond[i], concepts[i]) if i in concepts else None
        edited = session.correct_edits(i, step, uncond[i], found.edits.get(i))
        if edited is not None:
            delta = edited if delta is None else delta + edited
        if delta is not None:
            rows[i] = (upcast_half(uncond[i]) - delta / (step.guidance_scale - 1)).to(uncond.dtype)
    for i in range(len(rows)):
        session.notify_watcher(i, step, uncond[i], cond[i], found.concepts.get(i))
    return torch.stack(rows)


class Concat:
    """e(0) and e(P) are rows of one call."""

    def __init__(self, session: SteeringSession) -> None:
        self._session = session
        self._order = ("cond", "uncond") if session.spec.cond_first else ("uncond", "cond")

    def __call__(self, denoiser: int, forward: Forward, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return what the denoiser's forward returns, with e(0) steered."""
        session = self._session
        call = session.call_of(args, kwargs, (1, 2))
        if call is None:
            return forward(*args, **kwargs)
        index, count = session.steps.begin_step(), session.images
        if call.total == count or not session.active:
            return call.evaluate(forward)
        spared = session.spare(index)
        output = session.evaluator.evaluate_prompts(forward, call, self._order, spared)
        halves = dict(zip(self._order, prediction_of(output).chunk(2), strict=True))
        halves["uncond"] = session.uncond_of(index, halves["uncond"], halves["cond"], spared)
        first = self._order.index("cond") * count
        found = session.evaluate_concepts(forward, call.at(range(first, first + count)), index)
        halves["uncond"] = steered(session, index, denoiser, halves["uncond"], halves["cond"], found)
        return with_prediction(output, torch.cat([halves[name] for name in self._order]))


@dataclass(frozen=True)
class _Half:
    """The prompt's call of a step whose unconditional call is still to come."""

    index: int
    call: DenoiserCall
    text: Any
    output: Any


class Sequential:
    """e(P) and e(0) are two calls for one noisy sample, told apart by their conditioning, the prompt's first.

    The order is checked: what the pipeline's `encode_prompt` returned for the negative prompt must not come first.
    """

    def __init__(self, session: SteeringSession) -> None:
        self._session = session
        self._half: _Half | None = None
        self._name, self._text = next(iter(session.spec.text.conditioning.items()))
        self._encoded: list[Any] = []

    def take_encoded(self, result: Any) -> None:
        """Take what the pipeline's `encode_prompt` returned."""
        self._encoded.append(result)

    def __call__(self, denoiser: int, forward: Forward, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return what the denoiser's forward returns, with e(0) steered."""
        call = self._session.call_of(args, kwargs, (1,))
        if call is None:
            return forward(*args, **kwargs)
        half, self._half = self._half, None
        text = call.argument(self._text)
        if half is not None and call.sample is half.call.sample and text is not half.text:
            return self._uncond(denoiser, forward, call, half)
        if text is not None and text is self._negative():
            raise GuidanceNotApplied(
                f"{type(self._session.pipe).__name__} asked for the unconditional prediction before the prompt's; it "
                "can be steered only the other way round"
            )
        return self._cond(forward, call, text)

    def _negative(self) -> Any:
        """Return the negative prompt's embeddings; None if the pipeline encoded none."""
        text = self._session.spec.text
        if text.together:
            return self._encoded[0][text.embeds.index(f"negative_{self._name}")] if self._encoded else None
        return self._encoded[1][text.embeds.index(self._name)] if len(self._encoded) > 1 else None

    def _cond(self, forward: Forward, call: DenoiserCall, text: Any) -> Any:
        index = self._session.steps.begin_step()
        output = self._session.evaluator.evaluate_prompts(forward, call, ("cond",))
        self._half = _Half(index, call, text, output)
        return output

    def _uncond(self, denoiser: int, forward: Forward, call: DenoiserCall, half: _Half) -> Any:
        session = self._session
        if not session.active:
            return call.evaluate(forward)
        spared, output = session.spare(half.index), half.output
        if len(spared) < session.images:
            output = session.evaluator.evaluate_prompts(forward, call, ("uncond",), spared)
        cond = prediction_of(half.output)
        uncond = session.uncond_of(half.index, prediction_of(output), cond, spared)
        found = session.evaluate_concepts(forward, half.call, half.index)
        return with_prediction(output, steered(session, half.index, denoiser, uncond, cond, found))


class Conditional:
    """e(P) is the only call, of a pipeline that does not guide; it returns e(P) + delta.

    The mean of e(c_k) takes the place of e(0), and w is 1: a denoiser that was distilled to do without guidance has its
    scale in its own differences.
    """

    def __init__(self, session: SteeringSession) -> None:
        self._session = session

    def __call__(self, denoiser: int, forward: Forward, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return what the denoiser's forward returns, steered."""
        session = self._session
        call = session.call_of(args, kwargs, (1,))
        if call is None:
            return forward(*args, **kwargs)
        index = session.steps.begin_step()
        output = session.evaluator.evaluate_prompts(forward, call, ("cond",))
        found = session.evaluate_concepts(forward, call, index).concepts if session.active else {}
        cond = prediction_of(output)
        rows = list(cond)
        for i, predictions in found.items():
            step, (uncond, concepts) = session.step_at(index, denoiser, cond.device), self._split(predictions)
            delta = session.correct(i, step, uncond, cond[i], concepts)
            rows[i] = (upcast_half(cond[i]) + delta).to(cond.dtype)
            session.notify_watcher(i, step, uncond, cond[i], concepts)
        return with_prediction(output, torch.stack(rows))

    def _split(self, predictions: Tensor) -> tuple[Tensor, Tensor]:
        """Return what stands for e(0), and e(c_k), of what was evaluated for one image."""
        return upcast_half(predictions).mean(dim=0), predictions


class Embedded(Conditional):
    """e(P) is the only call, of a denoiser that takes the guidance scale as an input; it returns e(P) + delta.

    Such a denoiser was trained to predict u + w (c - u) of the one it was distilled from, so its own differences are
    those of that one times w, and its own w is 1. e(0) is evaluated with the concepts.
    """

    def _split(self, predictions: Tensor) -> tuple[Tensor, Tensor]:
        return predictions[0], predictions[1:]


MECHANISMS = {"concat": Concat, "sequential": Sequential, "embedded": Embedded, "conditional": Conditional}
