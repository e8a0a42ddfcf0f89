"""A rule in Forge's sampling. Its predictions are denoised images as in ComfyUI, so the logic is `SamplerSession`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from semguide.adapters.hosts.sampler_session import SamplerSession, eps_scale
from semguide.errors import RuleNeverActed
from semguide.guidance import Rule, Step, Trace

Condition = Mapping[str, Any]
"""What Forge compiles of an encoded text: "model_conds" and other options."""


class ForgeSampling:
    """One sampling of Forge with a rule, as two functions on its UNet patcher.

    One is told the guidance scale of each call; the other adds the correction to the guided image, so that where there
    is none the image is Forge's own to the bit. At a guidance scale of 1, for checkpoints of a few steps, the mean of
    the concepts takes the place of the negative prompt; at a higher one, steps where Forge leaves that out stay as they
    are.
    """

    def __init__(
        self,
        rule: Rule[Any],
        concepts: Mapping[str, Condition],
        sigmas: Sequence[float],
        evaluate: Callable[..., Any],
    ) -> None:
        """Begin.

        Args:
            rule: The guidance rule; its guidance_scale is the one that was chosen in Forge.
            concepts: Text to what Forge's `compile_conditions` makes of its encoding, the one entry of the list.
            sigmas: The schedule of the sampling.
            evaluate: Forge's `calc_cond_uncond_batch`.
        """
        self._session = SamplerSession(rule, list(concepts), sigmas, full_trace=False)
        self._unguided = rule.guidance_scale == 1 and not rule.needs_uncond
        self._concepts = list(concepts.values())
        self._evaluate = evaluate
        self._scale = 1.0

    def patched(self, unet: Any) -> Any:
        """Return a clone of a UNet patcher with the rule in it."""
        unet = unet.clone()
        unet.add_conditioning_modifier(self.take_scale)
        unet.set_model_sampler_post_cfg_function(self.correct)
        return unet

    def trace(self) -> Trace:
        """Return what the rule saw and did."""
        return self._session.trace()

    def idle(self) -> RuleNeverActed | None:
        """Return why the rule corrected nothing, once the sampling is done; None where it did."""
        return self._session.idle()

    def take_scale(self, *call: Any) -> tuple[Any, ...]:
        """Take note of the guidance scale: Forge sets it to 1 where it leaves out the unconditional prediction.

        Args:
            call: model, x, timestep, uncond, cond, cond_scale, model_options and seed, which stay as they are.
        """
        self._scale = float(call[5])
        return call

    def correct(self, told: Mapping[str, Any]) -> Tensor:
        """Return the guided image with the correction.

        Raises:
            NotFinite: At the last step: the model made NaN or infinity at one of them.
        """
        sigma = told["sigma"]
        index = self._session.step_of(float(sigma[0]))
        denoised = self._corrected(told, index)
        self._session.note(index, denoised)
        if index == self._session.count - 1:
            self._session.check()
        return denoised

    def _corrected(self, told: Mapping[str, Any], index: int) -> Tensor:
        sigma, scale = told["sigma"], self._scale
        alone = math.isclose(scale, 1.0)
        if not self._session.needs_concepts(index) or (alone and not self._unguided):
            return told["denoised"]
        step = Step(index, self._session.count, scale, eps_scale(told["model"].predictor, sigma[0]))
        images = torch.stack([self._image(concept, told) for concept in self._concepts])
        uncond = images.mean(dim=0) if alone else told["uncond_denoised"]
        return told["denoised"] + self._session.corrections(step, uncond, told["cond_denoised"], images)

    def _image(self, concept: Condition, told: Mapping[str, Any]) -> Tensor:
        """Return the denoised image for a concept; what else is put on the prompt, such as a ControlNet, stays."""
        prompt = told["cond"][0]
        merged = {**prompt, **concept, "model_conds": {**prompt["model_conds"], **concept["model_conds"]}}
        return self._evaluate(told["model"], [merged], None, told["input"], told["sigma"], told["model_options"])[0]
