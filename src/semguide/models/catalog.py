"""Where a model name leads: an embedded checkpoint, a local folder or a hub id."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from semguide.errors import InvalidArgument

ASSETS = Path(__file__).resolve().parent.parent / "assets"
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


class SourceKind(str, Enum):
    """What a model name turned out to be."""

    EMBEDDED = "embedded"
    FOLDER = "folder"
    HUB = "hub"


@dataclass(frozen=True, slots=True)
class EmbeddedModel:
    """A checkpoint that ships with semguide.

    Attributes:
        name: The name to load it by.
        path: Its diffusers folder.
        card: First paragraph of its model card, "" without one.
    """

    name: str
    path: Path
    card: str


@dataclass(frozen=True, slots=True)
class Source:
    """A model name and where it leads.

    Attributes:
        name: The name as the user gave it.
        kind: Embedded, folder or hub.
        path: The diffusers folder; None for a hub id, whose folder exists once it is fetched.
    """

    name: str
    kind: SourceKind
    path: Path | None


def embedded(assets: Path | None = None) -> dict[str, EmbeddedModel]:
    """List the checkpoints that ship with semguide, by name.

    Args:
        assets: The folder to look in; None: the package's own.
    """
    folders = sorted(path.parent for path in (assets or ASSETS).glob("*/model_index.json"))
    return {path.name: EmbeddedModel(path.name, path, _first_paragraph(path / "README.md")) for path in folders}


def resolve(name: str) -> Source:
    """Find out what a model name means: embedded name, then local folder, then hub id (only `owner/name`).

    Raises:
        InvalidArgument: The name is none of the three.
    """
    known = embedded()
    if name in known:
        return Source(name, SourceKind.EMBEDDED, known[name].path)
    path = Path(name).expanduser()
    if name and path.is_dir():
        return Source(name, SourceKind.FOLDER, path.resolve())
    if name and path.exists():
        raise InvalidArgument(
            f"model must be a name, a diffusers folder or a hub id, got the file {name!r}; convert a single-file "
            "checkpoint first: StableDiffusionPipeline.from_single_file(FILE).save_pretrained(FOLDER)"
        )
    if _HUB_ID.fullmatch(name):
        return Source(name, SourceKind.HUB, None)
    raise InvalidArgument(
        f"model must be an embedded name ({', '.join(known) or 'none is installed'}), a diffusers folder or a hub id "
        f"owner/name, got {name!r}{_suggestion(name, known)}"
    )


def _suggestion(name: str, known: dict[str, EmbeddedModel]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ", which is no folder here"


def _first_paragraph(card: Path) -> str:
    """Read the first paragraph of a model card: after the YAML header, headings left out."""
    if not card.is_file():
        return ""
    text = re.sub(r"\A---\n.*?\n---\n", "", card.read_text(encoding="utf-8"), flags=re.DOTALL)
    paragraphs = (" ".join(part.split()) for part in re.split(r"\n\s*\n", text))
    return next((part for part in paragraphs if part and not part.startswith(("#", "!", "<"))), "")
