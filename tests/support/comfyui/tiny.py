"""A tiny model of diffusers in a real ComfyUI's types."""

from __future__ import annotations

from typing import Any

import torch

from support.comfyui import real


def encode(pipe: Any, text: str) -> Any:
    """Return the CONDITIONING of a text."""
    with torch.no_grad():
        return [[pipe.encode_prompt(text, "cpu", 1, False)[0], {}]]


class TinyClip:
    def __init__(self, pipe: Any) -> None:
        self.pipe = pipe

    def tokenize(self, text: str) -> str:
        return text

    def encode_from_tokens_scheduled(self, tokens: str) -> Any:
        return encode(self.pipe, tokens)


class TinyDecoder:
    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        return latents.movedim(1, -1)[..., :3].sigmoid()


def checkpoint(pipe: Any) -> tuple[Any, TinyClip, TinyDecoder]:
    """Return MODEL, CLIP and VAE."""
    return real.patched(real.DiffusersUNet(pipe.unet)), TinyClip(pipe), TinyDecoder()
