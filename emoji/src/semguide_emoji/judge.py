"""emoji-judge: a small detector of nouns and colours, after CenterNet (arXiv 1904.07850)."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from semguide.errors import InvalidArgument
from semguide.files import read_json
from semguide_emoji.scenes import COLOURS, NOUNS

#: Colour classes: every colour, then "natural".
COLOUR_CLASSES = (*COLOURS, "natural")
#: Pixels a cell of the detector's maps.
STRIDE = 4


@dataclass(frozen=True)
class JudgeConfig:
    """Shape of the network.

    Attributes:
        nouns: What it tells apart, in the order of its maps.
        width: Channels at the finest resolution of the maps.
        size: Side of the pictures it was trained on, pixels.
    """

    nouns: tuple[str, ...] = tuple(NOUNS)
    width: int = 64
    size: int = 64


def _block(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())


class Judge(nn.Module):
    """Pictures to maps at a quarter of their resolution: objects' centres by noun, colour and side.

    Pictures of other sizes than the trained one work too, in multiples of 16 pixels.

    Args:
        config: Shape of the network.
    """

    def __init__(self, config: JudgeConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.fine = nn.Sequential(_block(3, width // 2, 2), _block(width // 2, width, 2), _block(width, width))
        self.coarse = nn.Sequential(
            _block(width, 2 * width, 2),
            _block(2 * width, 2 * width),
            _block(2 * width, 4 * width, 2),
            _block(4 * width, 4 * width),
        )
        self.join = nn.Sequential(_block(5 * width, 2 * width), _block(2 * width, 2 * width))
        self.head = nn.Conv2d(2 * width, len(config.nouns) + len(COLOUR_CLASSES) + 1, 1)
        if self.head.bias is not None:  # few cells are centres: start from a low probability
            nn.init.constant_(self.head.bias[: len(config.nouns)], -4.0)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Find objects.

        Args:
            pictures: (batch, 3, height, width) in [-1, 1].

        Returns:
            Logits of a centre (batch, noun, height / 4, width / 4), logits of the colour (batch, colour, ...), and the
            box's side as a fraction of the picture (batch, ...).
        """
        fine = self.fine(pictures)
        coarse = F.interpolate(self.coarse(fine), size=fine.shape[-2:], mode="nearest")
        maps = self.head(self.join(torch.cat([fine, coarse], dim=1))).float()
        centres, colours, side = maps.split([len(self.config.nouns), len(COLOUR_CLASSES), 1], dim=1)
        return centres, colours, side[:, 0].sigmoid()

    def save(self, folder: Path) -> None:
        """Write `config.json` and half-precision weights."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text(json.dumps(asdict(self.config), indent=2))
        weights = {k: v.half() if v.is_floating_point() else v for k, v in self.state_dict().items()}
        save_file({k: v.contiguous() for k, v in weights.items()}, folder / "model.safetensors")

    @classmethod
    def load(cls, folder: Path) -> Judge:
        """Read what `save` wrote, in float32, ready to judge.

        Raises:
            InvalidArgument: The folder holds no judge.
        """
        if not (folder / "config.json").is_file() or not (folder / "model.safetensors").is_file():
            raise InvalidArgument("folder", "must hold config.json and model.safetensors of a judge", folder)
        try:
            stored = read_json(folder / "config.json")
            judge = cls(JudgeConfig(**{**stored, "nouns": tuple(stored["nouns"])}))
        except (OSError, ValueError, LookupError, TypeError, RuntimeError) as error:
            rule = f"must hold a config.json of a judge ({type(error).__name__}: {error})"
            raise InvalidArgument("folder", rule, folder) from error
        weights = load_file(folder / "model.safetensors")
        judge.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in weights.items()})
        return judge.eval()
