"""The pipelines that can be steered: one table of what differs between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from semguide.errors import UnsupportedPipeline


@dataclass(frozen=True)
class Architecture:
    """How a pipeline class calls its denoiser: with rows [uncond; cond] in one call per step.

    Attributes:
        denoiser: The pipeline's attribute that holds it.
        positional: Names of the denoiser's first parameters, the noisy sample first.
        texts: The pipeline's prompt arguments: text or list of texts.
        embeds: What `encode_prompt` returns, in order, by the name of the pipeline argument that takes it.
        conditioning: The denoiser argument, at any depth, that each prompt embedding reaches.
        broadcasts_negative: Whether one negative prompt may go with a list of prompts.
    """

    denoiser: str
    positional: tuple[str, ...]
    texts: tuple[str, ...]
    embeds: tuple[str, ...]
    conditioning: Mapping[str, str]
    broadcasts_negative: bool = False


_UNET = ("sample", "timestep", "encoder_hidden_states")

ARCHITECTURES: Mapping[str, Architecture] = {
    "StableDiffusionPipeline": Architecture(
        denoiser="unet",
        positional=_UNET,
        texts=("prompt", "negative_prompt"),
        embeds=("prompt_embeds", "negative_prompt_embeds"),
        conditioning={"prompt_embeds": "encoder_hidden_states"},
    ),
    "StableDiffusionXLPipeline": Architecture(
        denoiser="unet",
        positional=_UNET,
        texts=("prompt", "prompt_2", "negative_prompt", "negative_prompt_2"),
        embeds=(
            "prompt_embeds",
            "negative_prompt_embeds",
            "pooled_prompt_embeds",
            "negative_pooled_prompt_embeds",
        ),
        conditioning={"prompt_embeds": "encoder_hidden_states", "pooled_prompt_embeds": "text_embeds"},
        broadcasts_negative=True,
    ),
}


def architecture_of(pipe: Any) -> Architecture:
    """Return the architecture of a pipeline, by its class or the nearest base class in the table.

    Raises:
        UnsupportedPipeline: There is none, or the denoiser does no classifier-free guidance.
    """
    found = next((ARCHITECTURES[c.__name__] for c in type(pipe).__mro__ if c.__name__ in ARCHITECTURES), None)
    if found is None:
        raise UnsupportedPipeline(f"pipe must be one of {', '.join(ARCHITECTURES)}, got {type(pipe).__name__}")
    if getattr(getattr(pipe, found.denoiser).config, "time_cond_proj_dim", None) is not None:
        raise UnsupportedPipeline(
            "pipe has a denoiser that takes the guidance scale as an input (time_cond_proj_dim) and does no "
            "classifier-free guidance; use the checkpoint that it was distilled from"
        )
    return found
