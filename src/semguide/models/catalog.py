"""Resolve a model name to an embedded checkpoint, a local folder or a hub id."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from semguide import plugins
from semguide.errors import InvalidArgument

GROUP = "semguide.models"
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


class SourceKind(str, Enum):
    """What a model name turned out to be."""

    EMBEDDED = "embedded"
    FOLDER = "folder"
    FILE = "file"
    HUB = "hub"


@dataclass(frozen=True, slots=True)
class EmbeddedModel:
    """A checkpoint that an installed package brings, as an entry point of the group `semguide.models` names it.

    Attributes:
        name: The name to load it by, that of the entry point.
        path: Its diffusers folder, or one derived from another's (see `semguide.models.derived`).
        default: Whether it is used where no model is named.
    """

    name: str
    path: Path
    default: bool = False

    @property
    def card(self) -> str:
        """First paragraph of its model card, "" without one."""
        return _first_paragraph(self.path / "README.md")


@dataclass(frozen=True, slots=True)
class Source:
    """A model name and where it leads.

    Attributes:
        name: The name as the user gave it.
        kind: Embedded, folder, single file or hub.
        path: The diffusers folder or the file; None for a hub id, whose folder exists once it is fetched.
    """

    name: str
    kind: SourceKind
    path: Path | None


def embedded() -> dict[str, EmbeddedModel]:
    """List the embedded checkpoints, by name.

    Raises:
        BrokenPlugin: A package that brings one cannot be imported.
    """
    return plugins.load_all(GROUP)


def default_model() -> str:
    """Return the name of the model used when none is named: the embedded one that is marked, else the first.

    Raises:
        InvalidArgument: None is installed.
    """
    found = embedded()
    chosen = next((model.name for model in found.values() if model.default), next(iter(found), None))
    if chosen is None:
        raise InvalidArgument("model", f"must be given, as {plugins.EMBEDDED}")
    return chosen


def resolve(name: str) -> Source:
    """Find out what a model name means: embedded name, then local folder or file, then hub id (only `owner/name`).

    A folder that is no diffusers folder and holds one .safetensors file stands for that file.

    Raises:
        InvalidArgument: The name is none of these.
    """
    known = embedded()
    if name in known:
        return Source(name, SourceKind.EMBEDDED, known[name].path)
    path = Path(name).expanduser()
    if name and path.exists():
        return _local(name, path)
    if _HUB_ID.fullmatch(name):
        return Source(name, SourceKind.HUB, None)
    raise InvalidArgument(
        "model",
        f"must be an embedded name ({', '.join(known) or plugins.EMBEDDED}), a diffusers folder, "
        "a .safetensors file or a hub id owner/name",
        name,
        _suggestion(name, known),
    )


def _local(name: str, path: Path) -> Source:
    """Return the source that a path is: a file is left where it is, as its links need not keep its ending."""
    if path.is_file():
        if path.suffix != ".safetensors":
            rule = "must be a diffusers folder or a .safetensors file, as other files may run code when they are read"
            raise InvalidArgument("model", rule, name, "download or save the checkpoint as .safetensors")
        return Source(name, SourceKind.FILE, path.absolute())
    folder = any((path / name).exists() for name in ("model_index.json", "semguide.json"))
    files = [] if folder else sorted(path.glob("*.safetensors"))
    if len(files) > 1:
        rule = f"must be one checkpoint, but this folder holds {len(files)} .safetensors files"
        raise InvalidArgument("model", rule, name, f"name one of them, such as {files[0].name}")
    return (
        Source(name, SourceKind.FILE, files[0].absolute()) if files else Source(name, SourceKind.FOLDER, path.resolve())
    )


def _suggestion(name: str, known: dict[str, EmbeddedModel]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else ""


def _first_paragraph(card: Path) -> str:
    """Read the first paragraph of a model card: after the YAML header, headings left out."""
    if not card.is_file():
        return ""
    text = re.sub(r"\A---\n.*?\n---\n", "", card.read_text(encoding="utf-8"), flags=re.DOTALL)
    paragraphs = (" ".join(part.split()) for part in re.split(r"\n\s*\n", text))
    return next((part for part in paragraphs if part and not part.startswith(("#", "!", "<"))), "")
