"""The models that score the images of `semguide bench` besides the judge: found, checked, fingerprinted; no torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from semguide.errors import InvalidArgument
from semguide.evaluation.clip_scorers import clip_plugin, embedded_clip
from semguide.files import read_json
from semguide.models import SourceKind
from semguide.models.fingerprint import fingerprint_files

NONE = "none"


@dataclass(frozen=True)
class ScorerRequest:
    """What a user asked for.

    Attributes:
        clip: Folder of a CLIP, "none", or None: the embedded one for an embedded model, else none.
        vqa: Folder of a BLIP that answers questions, for VQAScore, or None.
        blip_vqa: The same for BLIP-VQA.
    """

    clip: str | None = None
    vqa: str | None = None
    blip_vqa: str | None = None


@dataclass(frozen=True)
class ScorerFolders:
    """Where the models lie; None: not asked for."""

    clip: Path | None
    vqa: Path | None
    blip_vqa: Path | None

    def paths(self) -> dict[str, str]:
        """Return the folders by name, "" for none."""
        return {name: str(folder or "") for name, folder in vars(self).items()}

    def identity(self) -> dict[str, str | None]:
        """Return a hash of each model, None for none."""
        return {name: None if folder is None else fingerprint_files(folder) for name, folder in vars(self).items()}


def find_scorers(request: ScorerRequest, model: SourceKind) -> ScorerFolders:
    """Find the models.

    Args:
        request: What was asked for.
        model: Where the model that makes the images comes from.

    Raises:
        InvalidArgument: A folder holds no such model.
    """
    return ScorerFolders(
        clip=_clip(request.clip, model),
        vqa=_blip("vqa", request.vqa),
        blip_vqa=_blip("blip_vqa", request.blip_vqa),
    )


def _clip(name: str | None, model: SourceKind) -> Path | None:
    if name == NONE or (name is None and model is not SourceKind.EMBEDDED):
        return None
    if name is None:
        embedded = embedded_clip()
        return None if embedded is None else embedded.folder
    folder = Path(name).expanduser()
    if _config(folder).get("model_type") == "clip" or clip_plugin(folder) is not None:
        return folder.resolve()
    raise InvalidArgument(
        "clip",
        "must be a folder with config.json and safetensors weights of transformers' CLIPModel, or a CLIP of an "
        "installed package",
        folder,
        f"give such a folder or {NONE!r}",
    )


def _blip(argument: str, name: str | None) -> Path | None:
    if name is None:
        return None
    folder = Path(name).expanduser()
    config = _config(folder)
    if config.get("model_type") == "blip" and "BlipForQuestionAnswering" in (config.get("architectures") or ()):
        return folder.resolve()
    raise InvalidArgument(
        argument,
        "must be a folder with config.json and safetensors weights of transformers' BlipForQuestionAnswering",
        name,
        "save one with save_pretrained(FOLDER), its BlipProcessor too",
    )


def _config(folder: Path) -> dict[str, Any]:
    """Read the config.json of a folder that has weights beside it; anything else is an empty one."""
    try:
        value = read_json(folder / "config.json")
    except (OSError, ValueError):
        return {}
    return cast(dict[str, Any], value) if isinstance(value, dict) and any(folder.glob("*.safetensors")) else {}
