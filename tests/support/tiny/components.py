"""Puts a pipeline's components together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from support.tiny.texts import Text

Parts = dict[str, Any]
Make = Callable[[], Parts]


def components(denoiser: Any, scheduler: Any, vae: Any, *texts: Text, **more: Any) -> Parts:
    """Return components by the names of diffusers: text encoders and tokenizers are numbered from the second one on."""
    parts = {"unet" if "UNet" in type(denoiser).__name__ else "transformer": denoiser, "scheduler": scheduler}
    for number, (encoder, tokenizer) in enumerate(texts, 1):
        suffix = f"_{number}" if number > 1 else ""
        parts |= {f"text_encoder{suffix}": encoder, f"tokenizer{suffix}": tokenizer}
    return {**parts, **({} if vae is None else {"vae": vae}), **more}
