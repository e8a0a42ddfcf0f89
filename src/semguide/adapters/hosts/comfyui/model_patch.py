"""A rule as a patch of ComfyUI's MODEL, for samplers that take no guider: KSampler, Detailer and others.

Imports ComfyUI: only nodes that run inside it import this module.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any

import torch
from torch import Tensor

from semguide.adapters.hosts.comfyui.conditioning import Conditioning, name_of
from semguide.adapters.hosts.comfyui.evaluation import GUESSED, KEY, Evaluator, beside, guesses, is_patched
from semguide.adapters.hosts.comfyui.interface import CONFINED, NO_GUIDANCE, tell
from semguide.adapters.hosts.comfyui.regions import Entries, Part, parts_at
from semguide.adapters.hosts.sampler_session import SamplerSession, eps_scale
from semguide.errors import InvalidArgument
from semguide.guidance import Rule, Step

_samplers: Any = import_module("comfy.samplers")
_OF_THE_IMAGE = frozenset({"c_concat", "denoise_mask", "ref_latents"})
"""What ComfyUI tells the model with a prompt and that no text says."""
_OF_A_RUN = ("control", "gligen")
"""Options of a conditioning that ComfyUI makes ready at the beginning of a run, for the prompts that it knows of."""
NOT_ASKED = "The sampler's guider calls no function after guidance: the images are those of plain guidance."
NO_SCHEDULE = "The sampler does not say its steps: the images are those of plain guidance."


class ModelPatch:
    """A function that corrects the guided image of each call of a sampler.

    Outside the rule's window the image is ComfyUI's own to the bit. At a cfg of 1 the mean of the concepts takes the
    place of the negative prompt in a rule that does without. A run begins with each schedule, and where its steps begin
    anew.

    Args:
        rule: The guidance rule; the cfg of the sampler, not its guidance_scale, is the w of a run.
        concepts: The concepts.
        node: Id of the node that made the patch, which shows why a picture is plain guidance; None: not known.

    Raises:
        InvalidArgument: A concept has a ControlNet or GLIGEN of its own.
    """

    def __init__(self, rule: Rule[Any], concepts: Sequence[Conditioning], node: str | None = None) -> None:
        self._rule, self._node = rule, node
        self._names = [name_of(concept, k) for k, concept in enumerate(concepts)]
        _check(concepts)
        convert = import_module("comfy.sampler_helpers").convert_cond
        self._concepts: list[Any] = [convert(concept) for concept in concepts]
        self._session: SamplerSession | None = None
        self._schedule: list[float] = []
        self._last, self._asked = 0, False
        self._why: str | None = None

    def patched(self, model: Any) -> Any:
        """Return a clone of a MODEL with the rule in it."""
        model = model.clone()
        model.set_model_sampler_post_cfg_function(self.correct)
        if hasattr(model, "add_wrapper_with_key"):
            model.add_wrapper_with_key("outer_sample", KEY, self.run)
        return model

    def run(self, sampler: Any, *inputs: Any, **more: Any) -> Any:
        """Run a sampler, and say where it did not ask for corrections."""
        self._session, self._asked = None, False
        latent = sampler(*inputs, **more)
        if not self._asked:
            tell(self._node, NOT_ASKED)
        return latent

    def correct(self, told: Mapping[str, Any]) -> Tensor:
        """Return the guided image of a call with the correction."""
        self._asked = True
        schedule = told["model_options"].get("transformer_options", {}).get("sample_sigmas")
        if schedule is None:
            tell(self._node, NO_SCHEDULE)
            return told["denoised"]
        session, index = self._session_of(schedule.tolist(), float(told["sigma"][0]))
        denoised = self._corrected(session, index, told)
        session.note(index, denoised)
        if index == session.count - 1:
            session.check()
            tell(self._node, self._why or session.idle())
        return denoised

    def _session_of(self, schedule: list[float], sigma: float) -> tuple[SamplerSession, int]:
        """Return the session of the run that a call belongs to, and the call's step."""
        session = self._session
        if session is None or schedule != self._schedule or session.step_of(sigma) < self._last:
            session = SamplerSession(self._rule, self._names, schedule, full_trace=False)
            self._session, self._schedule, self._why = session, schedule, NO_GUIDANCE
        self._last = session.step_of(sigma)
        return session, self._last

    def _corrected(self, session: SamplerSession, index: int, told: Mapping[str, Any]) -> Tensor:
        scale, negative, uncond = _guidance(told)
        alone = math.isclose(scale, 1.0)
        if (scale < 1 and not alone) or (self._rule.needs_uncond if alone else negative is None):
            return told["denoised"]
        self._why = GUESSED if guesses(told["model_options"]) else self._why if self._why == CONFINED else None
        if self._why or not session.needs_concepts(index):
            return told["denoised"]
        parts = self._parts(told, negative or [])
        if alone and any(part.confined for part in parts):
            self._why = CONFINED
            return told["denoised"]
        present = [part.number for part in parts]
        if not session.needs_concepts(index, present):
            return told["denoised"]
        step = Step(index, session.count, scale, eps_scale(told["model"].model_sampling, told["sigma"][0]))
        found = self._evaluated(parts, told, negative)
        images = torch.stack([part.image(each, uncond) for part, each in zip(parts, found, strict=True)])
        uncond = images.mean(dim=0) if alone else uncond
        return told["denoised"] + session.corrections(step, uncond, told["cond_denoised"], images, present)

    def _parts(self, told: Mapping[str, Any], negative: Entries) -> list[Part]:
        """Return the concepts of a call; what all parts of the prompt carry applies to them too."""
        first, *others = told["cond"]
        shared = {key: value for key, value in first.items() if all(other.get(key) is value for other in others)}
        shared.pop("model_conds", None)
        kept = {name: value for name, value in first.get("model_conds", {}).items() if name in _OF_THE_IMAGE}
        concepts: list[Any] = []
        for concept in self._concepts:
            entries = [{**shared, **entry, "model_conds": {**kept, **entry["model_conds"]}} for entry in concept]
            _samplers.calculate_start_end_timesteps(told["model"], entries)
            concepts.append(entries)
        return parts_at(concepts, negative, told["input"], told["sigma"])

    def _evaluated(
        self, parts: Sequence[Part], told: Mapping[str, Any], negative: Entries | None
    ) -> list[Sequence[Tensor]]:
        """Return the denoised images of each concept and of what is opposite to it."""
        model, x, options = told["model"], told["input"], told["model_options"]
        evaluator, encoded = Evaluator(model, x, told["sigma"], options), [_encoded(part, model, x) for part in parts]
        patched = is_patched(options, getattr(model, "current_patcher", None), caches=False)
        if not patched:
            return evaluator.in_one([], encoded)[1]
        return evaluator.apart([], encoded, beside(negative, options, patched))[1]


def _guidance(told: Mapping[str, Any]) -> tuple[float, Entries | None, Tensor]:
    """Return the guidance scale of a call, the unconditional prompt, None where there is none, and its image.

    The guider for Perp-Neg tells the empty prompt beside the negative one.
    """
    name = "empty_cond" if "empty_cond_denoised" in told else "uncond"
    return float(told["cond_scale"]), told.get(name), told[f"{name}_denoised"]


def _encoded(part: Part, model: Any, x: Tensor) -> Part:
    """Return a concept with what the model is told of it."""
    kept = [entry["model_conds"] for entry in part.entries]
    encoded = _samplers.encode_model_conds(model.extra_conds, part.entries, x, x.device, "positive")
    entries = [
        {**entry, "model_conds": {**entry["model_conds"], **mine}} for entry, mine in zip(encoded, kept, strict=True)
    ]
    return replace(part, entries=entries)


def _check(concepts: Sequence[Conditioning]) -> None:
    own = sorted({name for concept in concepts for _, options in concept for name in _OF_A_RUN if name in options})
    if own:
        remedy = "put it on the prompt, whose concepts have it, too, or use Semantic Guidance (Guider)"
        raise InvalidArgument("concepts", "must have no ControlNet or GLIGEN of their own here", own[0], remedy)
