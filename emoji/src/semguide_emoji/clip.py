"""emoji-clip: a text tower of CLIP's form and a convolutional image tower, trained together (arXiv 2103.00020)."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from semguide.errors import InvalidArgument
from semguide.files import read_json
from semguide.models.derived import PREFIX, with_names_of

_LARGEST_SCALE = math.log(100.0)
_CONFIG, _WEIGHTS = "config.json", "model.safetensors"
#: Keys of a config.json that names another checkpoint's text encoder as the text tower.
_OWNER, _DIGEST = "text_encoder", "text_sha256"
_PROJECTION = "text_projection.weight"


@dataclass(frozen=True)
class CLIPShape:
    """Shape of the two towers.

    Attributes:
        vocabulary: Entries of the tokenizer.
        length: Tokens a prompt may have, the two marks included.
        width: Width of the text tower and of the common space.
        layers: Depth of the text tower.
        channels: Channels of the image tower, from half resolution down; multiples of 8.
        size: Side of the pictures it was trained on, pixels.
    """

    vocabulary: int
    length: int
    width: int = 192
    layers: int = 4
    channels: tuple[int, ...] = (24, 48, 96, 192)
    size: int = 64


class _Residual(nn.Module):
    """Two convolutions beside a linear skip; the branch starts at zero."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            nn.GroupNorm(8, inputs),
            nn.SiLU(),
            nn.Conv2d(inputs, outputs, 3, stride, 1),
            nn.GroupNorm(8, outputs),
            nn.SiLU(),
            nn.Conv2d(outputs, outputs, 3, 1, 1),
        )
        self.skip = nn.Conv2d(inputs, outputs, 1, stride)
        nn.init.zeros_(self.branch[-1].weight)  # pyright: ignore[reportArgumentType]

    def forward(self, x: Tensor) -> Tensor:
        return self.skip(x) + self.branch(x)


class ImageTower(nn.Module):
    """Pictures of any size to one vector: convolutions, then four learned queries that look at every position.

    Convolutions learn what a noun looks like from tens of thousands of pictures; a patch transformer did not.
    """

    def __init__(self, channels: tuple[int, ...], width: int) -> None:
        super().__init__()
        last, queries = channels[-1], 4
        pairs = zip((channels[0], *channels), channels, strict=False)
        self.stem = nn.Conv2d(3, channels[0], 4, 2, 1)
        self.blocks = nn.Sequential(*(_Residual(i, o, 2 if n else 1) for n, (i, o) in enumerate(pairs)))
        self.norm = nn.LayerNorm(last)
        self.query = nn.Parameter(torch.randn(queries, last) * 0.02)
        self.key, self.value = nn.Linear(last, last), nn.Linear(last, last)
        self.project = nn.Linear(queries * last, width, bias=False)

    def forward(self, pictures: Tensor) -> Tensor:
        """Embed pictures (batch, 3, height, width) in [-1, 1] as (batch, width), not normalised."""
        places = self.norm(self.blocks(self.stem(pictures)).flatten(2).transpose(1, 2))
        looks = (self.query @ self.key(places).transpose(1, 2) * 8.0 / math.sqrt(places.shape[-1])).softmax(dim=-1)
        return self.project((looks @ self.value(places)).flatten(1))


class EmojiCLIP(nn.Module):
    """Both towers.

    Args:
        shape: Their shape; the tokenizer's first entry starts a text, its second ends and pads it.
    """

    def __init__(self, shape: CLIPShape) -> None:
        super().__init__()
        self.shape = shape
        config = CLIPTextConfig(
            vocab_size=shape.vocabulary,
            hidden_size=shape.width,
            intermediate_size=4 * shape.width,
            num_hidden_layers=shape.layers,
            num_attention_heads=4,
            max_position_embeddings=shape.length,
            projection_dim=shape.width,
            bos_token_id=0,
            eos_token_id=1,
            pad_token_id=1,
        )
        self.text = CLIPTextModelWithProjection(config)
        self.image = ImageTower(shape.channels, shape.width)
        self.log_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.log_scale.device

    def similarity(self, ids: Tensor, pictures: Tensor) -> Tensor:
        """Return the cosines of texts and pictures.

        Args:
            ids: Token ids (texts, length).
            pictures: (pictures, 3, height, width) in [-1, 1].

        Returns:
            (texts, pictures) in [-1, 1].
        """
        text = F.normalize(self.text(ids).text_embeds.float(), dim=-1)
        return text @ F.normalize(self.image(pictures).float(), dim=-1).T

    def forward(self, ids: Tensor, pictures: Tensor) -> Tensor:
        """Return the logits of texts against pictures, (texts, pictures)."""
        return self.log_scale.clamp(max=_LARGEST_SCALE).exp() * self.similarity(ids, pictures)

    def save(self, folder: Path) -> None:
        """Write `config.json` and `model.safetensors`."""
        self._write(folder, self.state_dict(), {})

    def save_beside(self, folder: Path, owner: str) -> None:
        """Write it in half precision without the body of its text tower, which another checkpoint holds already.

        Args:
            folder: Where to write.
            owner: Name of a folder beside it with the same weights in `text_encoder/`, and the tokenizer.
        """
        body = {f"text.{k}" for k in self.text.state_dict() if k != _PROJECTION}
        weights = {k: v.half() for k, v in self.state_dict().items() if k not in body}
        self._write(folder, weights, {_OWNER: owner, _DIGEST: _digest(self.text.state_dict())})

    def _write(self, folder: Path, weights: Mapping[str, Tensor], more: dict[str, str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        save_file({k: v.contiguous() for k, v in weights.items()}, folder / _WEIGHTS)
        (folder / _CONFIG).write_text(json.dumps({**asdict(self.shape), **more}, indent=2) + "\n")

    @classmethod
    def load(cls, folder: Path) -> EmojiCLIP:
        """Read what `save` or `save_beside` wrote, in float32.

        Raises:
            InvalidArgument: The folder holds no such model, or the text encoder that belongs to it is not there.
        """
        stored = _config(folder)
        owner, digest = (stored.pop(key, None) for key in (_OWNER, _DIGEST))
        clip = cls(CLIPShape(**{**stored, "channels": tuple(stored["channels"])}))
        weights = {k: v.float() for k, v in load_file(folder / _WEIGHTS).items()}
        if owner is not None:
            weights |= _text_tower(folder.parent / owner, digest, clip.text)
        clip.load_state_dict(weights)
        return clip.eval()


def tokenizer_folder(folder: Path) -> Path:
    """Return where the tokenizer of a saved emoji-clip lies: with its text tower, or beside it."""
    owner = _config(folder).get(_OWNER)
    return folder.parent / "tokenizer" if owner is None else folder.parent / owner / "tokenizer"


def is_emoji_clip(folder: Path) -> bool:
    """Say whether a folder holds what `EmojiCLIP` saves, not a model of transformers."""
    return all((folder / name).is_file() for name in (_CONFIG, _WEIGHTS)) and "channels" in _read(folder)


def _config(folder: Path) -> dict[str, Any]:
    if not is_emoji_clip(folder):
        raise InvalidArgument("folder", f"must hold {_CONFIG} and {_WEIGHTS} of an emoji-clip", folder)
    return _read(folder)


def _read(folder: Path) -> dict[str, Any]:
    try:
        value = read_json(folder / _CONFIG)
    except (OSError, ValueError) as error:
        raise InvalidArgument("folder", f"must hold a {_CONFIG} that can be read ({error})", folder) from error
    return value if isinstance(value, dict) else {}


def _text_tower(owner: Path, digest: str | None, text: CLIPTextModelWithProjection) -> dict[str, Tensor]:
    """Read the body of a text tower from another checkpoint's text encoder."""
    there = (owner / "text_encoder" / _CONFIG).is_file()
    found = CLIPTextModel.from_pretrained(owner / "text_encoder").state_dict() if there else {}
    if not there or _digest(found) != digest:
        raise InvalidArgument(
            "folder",
            f"must lie beside {owner.name} with the text encoder that emoji-clip was trained with "
            f"({'this is another one' if there else 'there is none'})",
            owner,
            "export both from one set",
        )
    return {f"text.{k}": v.float() for k, v in with_names_of(text.state_dict(), found).items()}


def _digest(text: Mapping[str, Tensor]) -> str:
    """Hash the body of a text tower, rounded to half precision, however transformers prefixes its names."""
    total = hashlib.sha256()
    for name, value in sorted((k.removeprefix(PREFIX), v) for k, v in text.items() if k != _PROJECTION):
        total.update(name.encode() + value.detach().half().cpu().contiguous().numpy().tobytes())
    return total.hexdigest()
