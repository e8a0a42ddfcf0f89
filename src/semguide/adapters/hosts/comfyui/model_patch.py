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
from semguide.adapters.hosts.comfyui.interface import tell
from semguide.adapters.hosts.comfyui.regions import Part, parts_at
from semguide.adapters.hosts.sampler_session import SamplerSession, eps_scale
from semguide.guidance import Rule, Step

_samplers: Any = import_module("comfy.samplers")
_OF_THE_IMAGE = frozenset({"c_concat", "denoise_mask", "ref_latents"})
"""What ComfyUI tells the model with a prompt and that no text says."""


class ModelPatch:
    """A function that corrects the guided image of each call of a sampler.

    Outside the rule's window, and at a cfg of 1, the image is ComfyUI's own to the bit. A run begins with each
    schedule, and where the steps of one begin anew.

    Args:
        rule: The guidance rule; the cfg of the sampler, not its guidance_scale, is the w of a run.
        concepts: The concepts.
        node: Id of the node that made the patch, which shows why a picture is plain guidance; None: not known.
    """

    def __init__(self, rule: Rule[Any], concepts: Sequence[Conditioning], node: str | None = None) -> None:
        self._rule, self._node = rule, node
        self._names = [name_of(concept, k) for k, concept in enumerate(concepts)]
        convert = import_module("comfy.sampler_helpers").convert_cond
        self._concepts: list[Any] = [convert(concept) for concept in concepts]
        self._session: SamplerSession | None = None
        self._schedule: list[float] = []
        self._last = 0

    def patched(self, model: Any) -> Any:
        """Return a clone of a MODEL with the rule in it."""
        model = model.clone()
        model.set_model_sampler_post_cfg_function(self.correct)
        return model

    def correct(self, told: Mapping[str, Any]) -> Tensor:
        """Return the guided image of a call with the correction."""
        session, index = self._session_of(told)
        denoised = self._corrected(session, index, told)
        session.note(index, denoised)
        if index == session.count - 1:
            session.check()
            tell(self._node, session.idle())
        return denoised

    def _session_of(self, told: Mapping[str, Any]) -> tuple[SamplerSession, int]:
        """Return the session of the run that a call belongs to, and the call's step."""
        schedule = told["model_options"]["transformer_options"]["sample_sigmas"].tolist()
        session, sigma = self._session, float(told["sigma"][0])
        if session is None or schedule != self._schedule or session.step_of(sigma) < self._last:
            session = SamplerSession(self._rule, self._names, schedule, full_trace=False)
            self._session, self._schedule = session, schedule
        self._last = session.step_of(sigma)
        return session, self._last

    def _corrected(self, session: SamplerSession, index: int, told: Mapping[str, Any]) -> Tensor:
        scale = float(told["cond_scale"])
        if not session.needs_concepts(index) or math.isclose(scale, 1.0):
            return told["denoised"]
        parts = self._parts(told)
        present = [part.number for part in parts]
        if not session.needs_concepts(index, present):
            return told["denoised"]
        uncond, cond = told["uncond_denoised"], told["cond_denoised"]
        step = Step(index, session.count, scale, eps_scale(told["model"].model_sampling, told["sigma"][0]))
        images = torch.stack([part.image(self._evaluated(part, told), uncond) for part in parts])
        return told["denoised"] + session.corrections(step, uncond, cond, images, present)

    def _parts(self, told: Mapping[str, Any]) -> list[Part]:
        """Return the concepts of a call; what all parts of the prompt carry applies to them too."""
        first, *others = told["cond"]
        shared = {key: value for key, value in first.items() if all(other.get(key) is value for other in others)}
        of_prompt = shared.pop("model_conds", {})
        kept = {name: value for name, value in of_prompt.items() if name in _OF_THE_IMAGE}
        concepts: list[Any] = []
        for concept in self._concepts:
            entries = [{**shared, **entry, "model_conds": {**kept, **entry["model_conds"]}} for entry in concept]
            _samplers.calculate_start_end_timesteps(told["model"], entries)
            concepts.append(entries)
        return parts_at(concepts, told["uncond"], told["input"], told["sigma"])

    def _evaluated(self, part: Part, told: Mapping[str, Any]) -> Sequence[Tensor]:
        """Return the denoised images of a concept, as at a cfg of 1, and of what is opposite to it."""
        model, x = told["model"], told["input"]
        kept = [entry["model_conds"] for entry in part.entries]
        encoded = _samplers.encode_model_conds(model.extra_conds, part.entries, x, x.device, "positive")
        entries = [
            {**entry, "model_conds": {**entry["model_conds"], **mine}}
            for entry, mine in zip(encoded, kept, strict=True)
        ]
        options = told["model_options"]
        conds = replace(part, entries=entries).conds(told["uncond"], options)
        return _samplers.calc_cond_batch(model, conds, x, told["sigma"], options)
