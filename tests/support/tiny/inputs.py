"""Images, masks and videos that tiny pipelines read."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def image(size: int, seed: int = 5) -> Tensor:
    """Return an image (1, 3, size, size) in [0, 1]."""
    return torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(seed))


def mask(size: int) -> Tensor:
    """Return a mask (1, 1, size, size) whose right half is to be painted."""
    return (torch.arange(size) >= size // 2).float().expand(1, 1, size, size).clone()


def film(frames: int, size: int) -> Tensor:
    """Return a video (1, frames, 3, size, size) in [0, 1]."""
    return torch.rand(1, frames, 3, size, size, generator=torch.Generator().manual_seed(6))


def video(frames: int, size: int) -> list[Any]:
    """Return a video of Pillow images."""
    from PIL import Image

    rows = (torch.rand(frames, size, size, 3, generator=torch.Generator().manual_seed(6)) * 255).byte().numpy()
    return [Image.fromarray(row) for row in rows]


def picture(size: int) -> Any:
    """Return a Pillow image."""
    return video(1, size)[0]


def image_embeds() -> list[Tensor]:
    """Return image embeddings of an IP-Adapter, of width 16: [unconditional; conditional]."""
    return [torch.randn(2, 1, 16, generator=torch.Generator().manual_seed(203))]
