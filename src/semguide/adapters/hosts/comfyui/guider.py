"""The guider of ComfyUI's custom sampling. Imports ComfyUI: only nodes that run inside it import this module."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import torch
from torch import Tensor

from semguide.adapters.hosts.comfyui.conditioning import Conditioning, completed, name_of
from semguide.adapters.hosts.comfyui.evaluation import GUESSED, PAIRS, Evaluator, beside, guesses, is_patched
from semguide.adapters.hosts.comfyui.interface import CONFINED, NO_GUIDANCE, PLAIN, tell
from semguide.adapters.hosts.comfyui.regions import Part, own_entries, parts_at, with_areas_aside
from semguide.adapters.hosts.sampler_session import SamplerSession, eps_scale
from semguide.errors import InvalidArgument, RuleNeverActed
from semguide.guidance import Rule, Step, Trace

_samplers: Any = import_module("comfy.samplers")
_BEFORE, _AFTER = "sampler_pre_cfg_function", "sampler_post_cfg_function"


class SemanticGuider(_samplers.CFGGuider):
    """ComfyUI's classifier-free guidance with a rule's correction.

    Where the rule uses no concepts at a step this is CFGGuider itself. Elsewhere prompt, negative prompt and concepts
    are evaluated in one batch, as far as memory allows. At a cfg of 1, for checkpoints of a few steps, there is no
    negative prompt, and in a rule that does without, the mean of the concepts takes its place. Patches know of one pair
    only: on a model with patches the pair is evaluated as CFGGuider does it, and each concept as `Evaluator` says.
    What patches the model with functions before or after classifier-free guidance, or in its place, sees what it sees
    in CFGGuider; the correction reaches the latter through the unconditional prediction: u - delta / (w - 1) makes
    u + w (c - u) + delta of it, and functions after guidance get the true u.

    Attributes:
        rule: The guidance rule; `cfg`, not its guidance_scale, is the w of the run.
        full_trace: Whether to evaluate the concepts at every step, also where the rule does not use them.
    """

    def __init__(self, model_patcher: Any, rule: Rule[Any], *, full_trace: bool = False) -> None:
        super().__init__(model_patcher)
        self.set_cfg(rule.guidance_scale)
        self.rule = rule
        self.full_trace = full_trace
        self.node: str | None = None
        """Id of the node in the interface that made it, which then shows why a picture is plain guidance."""
        self._names: list[str] = []
        self._session: SamplerSession | None = None
        self._why: str | None = None
        """Why the rule could not work in this run."""
        self._trace: Trace | None = None

    def set_conds(self, positive: Conditioning, negative: Conditioning, concepts: Sequence[Conditioning] = ()) -> None:
        """Set prompt, negative prompt and concepts; each concept under a key of its own, or they would be averaged."""
        self._names = [name_of(concept, k) for k, concept in enumerate(concepts)]
        given = {_key(k): with_areas_aside(completed(concept, positive)) for k, concept in enumerate(concepts)}
        self.inner_set_conds({"positive": positive, "negative": negative, **given})

    def sample(self, noise: Any, latent_image: Any, sampler: Any, sigmas: Tensor, *args: Any, **kwargs: Any) -> Any:
        """Sample; the rule starts anew, so a guider may be used again."""
        self._session, self._trace, self._why = self._session_of(sigmas.tolist()), None, None
        latent = super().sample(noise, latent_image, sampler, sigmas, *args, **kwargs)
        self._session.check()
        if (why := self._plain_as(self._session)) is not None:
            warnings.warn(why, stacklevel=2)
            tell(self.node, why)
        return latent

    def trace(self) -> Trace:
        """Return what the rule saw and did in the last run.

        Raises:
            InvalidArgument: Nothing was sampled with this guider.
        """
        if self._trace is None and self._session is not None:
            self._trace = self._session.trace()
        if self._trace is None:
            raise InvalidArgument("guider", "must have sampled once", remedy="connect the sampler's latent")
        return self._trace

    def concept_entries(self) -> list[list[dict[str, Any]]]:
        """Return the entries of each concept."""
        return [self.original_conds[_key(k)] for k in range(len(self._names))]

    def show(self, trace: Trace) -> None:
        """Have `trace` return that of another guider's run, which stands for one of this."""
        self._trace = trace

    def _plain_as(self, session: SamplerSession) -> RuleNeverActed | None:
        """Return why the images of a run are those of plain guidance; None where they are not, or are to be."""
        if self.rule.is_noop:
            return None
        if not self._names:
            return RuleNeverActed(PLAIN)
        return RuleNeverActed(self._why) if self._why else session.idle()

    def _session_of(self, sigmas: list[float]) -> SamplerSession:
        return SamplerSession(self.rule, self._names, sigmas, full_trace=self.full_trace)

    def predict_noise(self, x: Tensor, timestep: Tensor, model_options: Any = None, seed: Any = None) -> Tensor:
        """Return the guided denoised image of one call of the sampler. Waits once for the device: for sigma."""
        options: dict[str, Any] = model_options or {}
        session, parts, index = self._session, [], 0
        if session is not None and self._names:
            index = session.step_of(float(timestep[0]))
            parts = self._parts(session, index, x, timestep, options)
        if session is None or not parts:
            plain = super().predict_noise(x, timestep, model_options=options, seed=seed)
            if session is not None:
                session.note(index if self._names else None, plain)
            return plain
        alone = self._alone and not options.get(PAIRS, False)
        conds = [self.conds["positive"], None if alone else self.conds["negative"]]
        evaluator, patched = Evaluator(self.inner_model, x, timestep, options), self._patched(options, caches=False)
        if session.uses_concepts(index, [part.number for part in parts]) and not patched:
            pair, found = evaluator.in_one(conds, parts)
        else:
            pair, found = evaluator.apart(conds, parts, beside(conds[1], options, patched))
        call = {"input": x, "sigma": timestep, "model": self.inner_model, "model_options": options}
        for function in options.get(_BEFORE, []):
            told = {"conds": conds, "conds_out": pair, "cond_scale": self.cfg, "timestep": timestep}
            pair = function({**told, **call})
        step = Step(index, session.count, self.cfg, eps_scale(self.inner_model.model_sampling, timestep[0]))
        images = torch.stack([part.image(each, pair[1]) for part, each in zip(parts, found, strict=True)])
        uncond = images.mean(dim=0) if self._alone else pair[1]
        delta = session.corrections(step, uncond, pair[0], images, [part.number for part in parts])
        denoised = self._combined(conds, pair, delta, call)
        session.note(index, denoised)
        return denoised

    def _parts(
        self, session: SamplerSession, index: int, x: Tensor, timestep: Tensor, options: dict[str, Any]
    ) -> list[Part]:
        """Return the concepts that are to be evaluated at a call."""
        if self._alone and self.rule.needs_uncond:
            self._why = NO_GUIDANCE
            return []
        if not session.needs_concepts(index):
            return []
        self._why = GUESSED if guesses(options) and self._patched(options, caches=False) else None
        if self._why:
            return []
        concepts = [own_entries(self.conds[_key(k)]) for k in range(len(self._names))]
        parts = parts_at(concepts, self.conds["negative"], x, timestep)
        if self._alone and any(part.confined for part in parts):
            self._why = CONFINED
            return []
        return parts if session.needs_concepts(index, [part.number for part in parts]) else []

    @property
    def _alone(self) -> bool:
        """Whether there is no guidance."""
        return math.isclose(self.cfg, 1.0)

    def _patched(self, options: dict[str, Any], *, caches: bool = True) -> bool:
        """Whether anything on the model may count its conditionings, or remember them."""
        return is_patched(options, self.model_patcher, caches=caches)

    def _combined(self, conds: list[Any], pair: Sequence[Tensor], delta: Tensor, call: dict[str, Any]) -> Tensor:
        """Return classifier-free guidance, or what replaces it, with the correction and the functions after it."""
        cond, uncond = pair
        options = call["model_options"]
        denoised = _samplers.cfg_function(
            self.inner_model,
            cond + delta if self._alone else cond,
            uncond if self._alone else uncond - delta / (self.cfg - 1),
            self.cfg,
            call["input"],
            call["sigma"],
            model_options={**options, _AFTER: []},
            cond=conds[0],
            uncond=conds[1],
        )
        told = {"cond": conds[0], "uncond": conds[1], "cond_scale": self.cfg}
        for function in options.get(_AFTER, []):
            images = {"denoised": denoised, "cond_denoised": cond, "uncond_denoised": uncond}
            denoised = function({**images, **told, **call})
        return denoised


def _key(index: int) -> str:
    return f"concept_{index}"
