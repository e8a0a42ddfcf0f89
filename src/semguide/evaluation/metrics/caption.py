"""How close a caption of the picture is to the prompt: Attend-and-Excite's text-text similarity (arXiv 2301.13826)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from semguide.evaluation.clip_scorers import ImageText

if TYPE_CHECKING:
    from PIL.Image import Image

_LONGEST = 30
"""Tokens of a caption."""


class Captioner:
    """A BLIP that says what a picture shows.

    Args:
        folder: What transformers' BlipForConditionalGeneration and BlipProcessor read.
        device: torch device.
    """

    def __init__(self, folder: Path, device: str) -> None:
        import transformers

        library: Any = transformers
        kind = library.BlipForConditionalGeneration
        self._model = kind.from_pretrained(folder, use_safetensors=True, local_files_only=True).to(device).eval()
        self._processor = library.BlipProcessor.from_pretrained(folder, local_files_only=True)

    @torch.no_grad()
    def caption(self, image: Image) -> str:
        """Return what a picture of any size shows, in words."""
        pixels = self._processor.image_processor(image.convert("RGB"), return_tensors="pt")["pixel_values"]
        words = self._model.generate(pixel_values=pixels.to(self._model.device), max_new_tokens=_LONGEST, num_beams=1)
        return str(self._processor.tokenizer.decode(words[0], skip_special_tokens=True)).strip()


def caption_similarity(clip: ImageText, prompt: str, caption: str) -> float:
    """Return the cosine of prompt and caption, -1 to 1."""
    texts = clip.texts([prompt, caption])
    return float(texts[0] @ texts[1])
