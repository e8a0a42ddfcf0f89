"""The interface of a CLIP that scores pictures, and the ones that installed packages bring; no torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from semguide import plugins

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

GROUP = "semguide.clip_scorers"


class ImageText(Protocol):
    """Both towers of a CLIP."""

    def texts(self, texts: Sequence[str]) -> Tensor:
        """Embed texts: (texts, width), of unit length, on the CPU."""
        ...

    def image(self, image: Image) -> Tensor:
        """Embed a picture of any size: (width,), of unit length, on the CPU."""
        ...


@dataclass(frozen=True, slots=True)
class ClipPlugin:
    """A CLIP that transformers does not know, as an entry point of the group `semguide.clip_scorers` names it.

    Attributes:
        name: Its name, that of the entry point.
        folder: Where its files lie.
        reads: Says whether a folder holds a CLIP of its kind.
        load: Reads the CLIP of a folder onto a torch device.
    """

    name: str
    folder: Path
    reads: Callable[[Path], bool]
    load: Callable[[Path, str], ImageText]


def embedded_clip() -> ClipPlugin | None:
    """Return the CLIP that is used with an embedded model; None where none is installed."""
    return next(iter(plugins.load_all(GROUP).values()), None)


def clip_plugin(folder: Path) -> ClipPlugin | None:
    """Return the installed kind of CLIP that a folder holds; None where it is none of them."""
    return next((plugin for plugin in plugins.load_all(GROUP).values() if plugin.reads(folder)), None)


def clip_folder(name: str) -> Path:
    """Return the folder that a name means: that of an installed CLIP of this name, else the name as a path."""
    return plugins.load(GROUP, name).folder if name in plugins.names(GROUP) else Path(name).expanduser()
