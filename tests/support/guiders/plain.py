"""Diffusers' own guider where a pipeline asks for more of it."""

from __future__ import annotations

from diffusers import ClassifierFreeGuidance


class PlainGuidance(ClassifierFreeGuidance):
    """Diffusers' own guider with what LTX-2 asks of guiders beside."""

    spatio_temporal_guidance_blocks = None

    def active_predictions(self) -> list[str]:
        return ["pred_cond", "pred_uncond"][: self.num_conditions]
