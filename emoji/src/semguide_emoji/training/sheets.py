"""Contact sheets."""

from __future__ import annotations

from pathlib import Path

from PIL import Image
from torch import Tensor

from semguide.files import atomic


def save_sheet(pictures: Tensor, path: Path, columns: int, scale: int = 1) -> None:
    """Write pictures side by side.

    Args:
        pictures: (count, 3, height, width) in [-1, 1].
        path: PNG to write; written under another name and renamed.
        columns: Pictures in a row.
        scale: Enlargement, whole pixels.
    """
    data = ((pictures.detach().float().cpu().clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
    height, width = data.shape[1] * scale, data.shape[2] * scale
    sheet = Image.new("RGB", (columns * width, -(-len(data) // columns) * height), "white")
    for index, picture in enumerate(data):
        tile = Image.fromarray(picture).resize((width, height), Image.Resampling.NEAREST)
        sheet.paste(tile, (index % columns * width, index // columns * height))
    with atomic(path) as temporary:
        sheet.save(temporary, format="PNG")
