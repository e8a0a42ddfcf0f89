"""Texts and pictures as unit vectors of one space: emoji-clip, or any CLIP of transformers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from semguide.models.clip import EmojiCLIP, is_emoji_clip, tokenizer_folder

if TYPE_CHECKING:
    from PIL.Image import Image


class ImageText(Protocol):
    """Both towers of a CLIP."""

    def texts(self, texts: Sequence[str]) -> Tensor:
        """Embed texts: (texts, width), of unit length, on the CPU."""
        ...

    def image(self, image: Image) -> Tensor:
        """Embed a picture of any size: (width,), of unit length, on the CPU."""
        ...


def load_clip(folder: Path, device: str) -> ImageText:
    """Load an emoji-clip, or a folder that transformers' CLIPModel and CLIPProcessor read.

    Args:
        folder: Where it lies.
        device: torch device.
    """
    return _Emoji(folder, device) if is_emoji_clip(folder) else _Foreign(folder, device)


class _Emoji:
    def __init__(self, folder: Path, device: str) -> None:
        from transformers import CLIPTokenizer

        self._clip = EmojiCLIP.load(folder).to(device)
        library: Any = CLIPTokenizer
        self._tokenizer = library.from_pretrained(tokenizer_folder(folder))

    @torch.no_grad()
    def texts(self, texts: Sequence[str]) -> Tensor:
        batch = self._tokenizer(list(texts), padding="max_length", truncation=True, return_tensors="pt")
        return _unit(self._clip.text(batch["input_ids"].to(self._clip.device)).text_embeds)

    @torch.no_grad()
    def image(self, image: Image) -> Tensor:
        from PIL.Image import Resampling

        side = self._clip.shape.size
        fitted = image.convert("RGB").resize((side, side), Resampling.BICUBIC)  # one of that size stays as it is
        pixels = torch.tensor(np.array(fitted, dtype=np.float32)).permute(2, 0, 1) / 127.5 - 1
        return _unit(self._clip.image(pixels[None].to(self._clip.device)))[0]


class _Foreign:
    def __init__(self, folder: Path, device: str) -> None:
        import transformers

        library: Any = transformers
        model = library.CLIPModel.from_pretrained(folder, use_safetensors=True, local_files_only=True)
        self._model = model.to(device).eval()
        self._processor = library.CLIPProcessor.from_pretrained(folder, local_files_only=True)

    @torch.no_grad()
    def texts(self, texts: Sequence[str]) -> Tensor:
        batch = self._processor(text=list(texts), padding=True, truncation=True, return_tensors="pt")
        return _unit(self._model.get_text_features(**batch.to(self._model.device)))

    @torch.no_grad()
    def image(self, image: Image) -> Tensor:
        batch = self._processor(images=image.convert("RGB"), return_tensors="pt")
        return _unit(self._model.get_image_features(**batch.to(self._model.device)))[0]


def _unit(embeds: Any) -> Tensor:
    """Normalise what a tower returned: a tensor, or in later versions of transformers an output that holds it."""
    found: Tensor = embeds if isinstance(embeds, Tensor) else embeds.pooler_output
    return F.normalize(found.float(), dim=-1).cpu()
