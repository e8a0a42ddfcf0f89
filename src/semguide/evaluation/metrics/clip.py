"""Encode texts and images as unit vectors of one space with a CLIP."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F

from semguide.evaluation.clip_scorers import ImageText, clip_plugin

if TYPE_CHECKING:
    from PIL.Image import Image


def load_clip(folder: Path, device: str) -> ImageText:
    """Load the CLIP of an installed package, or a folder that transformers' CLIPModel and CLIPProcessor read.

    Args:
        folder: Where it lies.
        device: torch device.
    """
    plugin = clip_plugin(folder)
    return _Transformers(folder, device) if plugin is None else plugin.load(folder, device)


class _Transformers:
    def __init__(self, folder: Path, device: str) -> None:
        import transformers

        library: Any = transformers
        model = library.CLIPModel.from_pretrained(folder, use_safetensors=True, local_files_only=True)
        self._model = model.to(device).eval()
        self._processor = library.CLIPProcessor.from_pretrained(folder, local_files_only=True)

    @torch.no_grad()
    def texts(self, texts: Sequence[str]) -> Tensor:
        batch = self._processor(text=list(texts), padding=True, truncation=True, return_tensors="pt")
        return unit(self._model.get_text_features(**batch.to(self._model.device)))

    @torch.no_grad()
    def image(self, image: Image) -> Tensor:
        batch = self._processor(images=image.convert("RGB"), return_tensors="pt")
        return unit(self._model.get_image_features(**batch.to(self._model.device)))[0]


def unit(embeds: Any) -> Tensor:
    """Normalise what a tower returned: a tensor, or in later versions of transformers an output that holds it."""
    found: Tensor = embeds if isinstance(embeds, Tensor) else embeds.pooler_output
    return F.normalize(found.float(), dim=-1).cpu()
