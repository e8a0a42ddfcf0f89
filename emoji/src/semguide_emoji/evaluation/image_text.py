"""Texts and pictures as unit vectors of one space, by emoji-clip."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from semguide.evaluation.metrics.clip import unit
from semguide_emoji.clip import EmojiCLIP, tokenizer_folder

if TYPE_CHECKING:
    from PIL.Image import Image


class EmojiImageText:
    """emoji-clip as semguide scores with it: texts and pictures as unit vectors.

    Args:
        folder: What `EmojiCLIP.save` or `save_beside` wrote.
        device: torch device.
    """

    def __init__(self, folder: Path, device: str) -> None:
        from transformers import CLIPTokenizer

        self._clip = EmojiCLIP.load(folder).to(device)
        library: Any = CLIPTokenizer
        self._tokenizer = library.from_pretrained(tokenizer_folder(folder))

    @torch.no_grad()
    def texts(self, texts: Sequence[str]) -> Tensor:
        """Embed texts: (texts, width), of unit length, on the CPU."""
        batch = self._tokenizer(list(texts), padding="max_length", truncation=True, return_tensors="pt")
        return unit(self._clip.text(batch["input_ids"].to(self._clip.device)).text_embeds)

    @torch.no_grad()
    def image(self, image: Image) -> Tensor:
        """Embed a picture of any size: (width,), of unit length, on the CPU."""
        from PIL.Image import Resampling

        side = self._clip.shape.size
        fitted = image.convert("RGB").resize((side, side), Resampling.BICUBIC)  # one of that size stays as it is
        pixels = torch.tensor(np.array(fitted, dtype=np.float32)).permute(2, 0, 1) / 127.5 - 1
        return unit(self._clip.image(pixels[None].to(self._clip.device)))[0]
