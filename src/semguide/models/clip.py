"""emoji-clip: a text tower of CLIP's form and a convolutional image tower, trained together (arXiv 2103.00020)."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import CLIPTextConfig, CLIPTextModelWithProjection

from semguide.errors import InvalidArgument

_LARGEST_SCALE = math.log(100.0)


@dataclass(frozen=True)
class CLIPShape:
    """Shape of the two towers.

    Attributes:
        vocabulary: Entries of the tokenizer.
        length: Tokens a prompt may have, the two marks included.
        width: Width of the text tower and of the common space.
        layers: Depth of the text tower.
        channels: Channels of the image tower, from half resolution down; multiples of 8.
    """

    vocabulary: int
    length: int
    width: int = 192
    layers: int = 4
    channels: tuple[int, ...] = (24, 48, 96, 192)


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
        folder.mkdir(parents=True, exist_ok=True)
        save_file({k: v.contiguous() for k, v in self.state_dict().items()}, folder / "model.safetensors")
        (folder / "config.json").write_text(json.dumps(asdict(self.shape), indent=2))

    @classmethod
    def load(cls, folder: Path) -> EmojiCLIP:
        """Read what `save` wrote, in float32.

        Raises:
            InvalidArgument: The folder holds no such model.
        """
        if not (folder / "config.json").is_file() or not (folder / "model.safetensors").is_file():
            raise InvalidArgument(f"folder must hold config.json and model.safetensors of an emoji-clip, got {folder}")
        stored: dict[str, Any] = json.loads((folder / "config.json").read_text())
        clip = cls(CLIPShape(**{**stored, "channels": tuple(stored["channels"])}))
        weights = load_file(folder / "model.safetensors")
        clip.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in weights.items()})
        return clip.eval()
