"""Semantic Guidance as a community pipeline of diffusers, for Stable Diffusion 1 and 2.

It needs semguide, which is on no package index: run `pip install .` in a clone of its repository first.

    import torch
    from diffusers import DiffusionPipeline

    pipe = DiffusionPipeline.from_pretrained(
        "stable-diffusion-v1-5/stable-diffusion-v1-5", custom_pipeline="semantic_guidance", torch_dtype=torch.float16
    ).to("cuda")
    image = pipe("a red book and a yellow vase", generator=torch.Generator().manual_seed(0)).images[0]

Other pipelines are steered with semguide's own `steer`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from diffusers import StableDiffusionPipeline


class SemanticGuidancePipeline(StableDiffusionPipeline):
    """Stable Diffusion that compares the guidance of each concept with that of the prompt, and adds what is missing."""

    def __call__(
        self,
        prompt: str | list[str] | None = None,
        *args: Any,
        guidance_scale: float = 7.5,
        concepts: list[str] | list[list[str]] | None = None,
        rule: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Make images.

        Args:
            prompt: The prompt or prompts.
            args: What follows the prompt in StableDiffusionPipeline's call.
            guidance_scale: w; 1: no guidance, for checkpoints of a few steps.
            concepts: What must be in the picture, for all prompts or for each; None: the noun phrases of the prompt;
                an empty list: plain guidance.
            rule: A rule of semguide; None: its default.
            kwargs: The other arguments of StableDiffusionPipeline's call.

        Returns:
            What StableDiffusionPipeline returns, with the trace of what was seen and done.
        """
        from semguide import BalancedSGT, steer

        checked = self.config["requires_safety_checker"]
        plain = StableDiffusionPipeline(**self.components, requires_safety_checker=checked)
        plain.set_progress_bar_config(**getattr(self, "_progress_bar_config", {}))
        scaled = replace(rule or BalancedSGT(), guidance_scale=guidance_scale)
        return steer(plain, scaled)(prompt, *args, concepts=concepts, **kwargs)
