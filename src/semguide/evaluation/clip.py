"""How well pictures fit a text, by a CLIP on this machine: an emoji-clip, or a CLIPModel of transformers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor
from torch.nn import functional as F

from semguide.errors import InvalidArgument
from semguide.models.catalog import ASSETS
from semguide.models.clip import EmojiCLIP, is_emoji_clip, tokenizer_folder

Similarity = Callable[[str, Sequence[Image.Image]], list[float]]
"""Cosines of a text with pictures, in [-1, 1]."""

EMBEDDED_CLIP = "emoji-clip"
_FILES = ("config.json", "model.safetensors")
_MEAN, _STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)  # of OpenAI's CLIP


def find_clip(name: str) -> Path:
    """Return the folder of a CLIP: the embedded one by its name, or a folder.

    Raises:
        InvalidArgument: There is none.
    """
    folder = ASSETS / EMBEDDED_CLIP if name == EMBEDDED_CLIP else Path(name).expanduser()
    if all((folder / file).is_file() for file in _FILES):
        return folder.resolve()
    raise InvalidArgument(
        f"clip must be {EMBEDDED_CLIP} or a folder with {' and '.join(_FILES)}, got {name!r}; give such a folder"
    )


def clip_fingerprint(folder: Path) -> str:
    """Hash the files of a CLIP; that of an emoji-clip names the hash of its text tower."""
    total = hashlib.sha256()
    for file in _FILES:
        total.update(hashlib.sha256((folder / file).read_bytes()).digest())
    return f"sha256:{total.hexdigest()}"


def load_clip(folder: Path, device: Any = "cpu") -> Similarity:
    """Return the similarity of a CLIP.

    Args:
        folder: Of an emoji-clip, or of a CLIPModel and its tokenizer as transformers saves them.
        device: torch device.
    """
    return _emoji(folder, device) if is_emoji_clip(folder) else _transformers(folder, device)


def _emoji(folder: Path, device: Any) -> Similarity:
    from transformers import CLIPTokenizer

    clip = EmojiCLIP.load(folder).to(device)
    tokenizer: Any = CLIPTokenizer.from_pretrained(tokenizer_folder(folder))

    @torch.no_grad()
    def similarity(text: str, pictures: Sequence[Image.Image]) -> list[float]:
        ids = tokenizer([text], padding="max_length", truncation=True, return_tensors="pt")["input_ids"]
        batch = torch.stack([_pixels(_cut(picture, clip.shape.size)) for picture in pictures]) * 2 - 1
        return clip.similarity(ids.to(device), batch.to(device))[0].tolist()

    return similarity


def _transformers(folder: Path, device: Any) -> Similarity:
    from transformers import AutoTokenizer, CLIPModel

    model: Any = cast(Any, CLIPModel).from_pretrained(folder, local_files_only=True, use_safetensors=True)
    model = model.eval().to(device)
    tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    side = model.config.vision_config.image_size
    mean, std = (torch.tensor(values).reshape(3, 1, 1) for values in _normalisation(folder))

    @torch.no_grad()
    def similarity(text: str, pictures: Sequence[Image.Image]) -> list[float]:
        read = tokenizer([text], padding=True, truncation=True, return_tensors="pt").to(device)
        batch = torch.stack([(_pixels(_cut(picture, side)) - mean) / std for picture in pictures]).to(device)
        seen = model(**read, pixel_values=batch)
        return (F.normalize(seen.text_embeds, dim=-1) @ F.normalize(seen.image_embeds, dim=-1).T)[0].tolist()

    return similarity


def _normalisation(folder: Path) -> tuple[Sequence[float], Sequence[float]]:
    file = folder / "preprocessor_config.json"
    stored: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return stored.get("image_mean", _MEAN), stored.get("image_std", _STD)


def _cut(picture: Image.Image, side: int) -> Image.Image:
    """Return the largest square in the middle of a picture, at the size that a CLIP sees."""
    return ImageOps.fit(picture.convert("RGB"), (side, side), Image.Resampling.BICUBIC)


def _pixels(picture: Image.Image) -> Tensor:
    """Return an RGB picture as (3, height, width) in [0, 1]."""
    return torch.tensor(np.asarray(picture, dtype=np.float32) / 255).permute(2, 0, 1)
