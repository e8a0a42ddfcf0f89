"""Models that score pictures by folder or hub id: a hub id is downloaded once, to the hub's cache."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from semguide.errors import InvalidArgument, SemguideError
from semguide.evaluation.clip_scorers import clip_folder

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_FILES = ["*.json", "*.txt", "*.model", "*.safetensors"]
"""What is read of such a model."""
CLIP = "openai/clip-vit-large-patch14"
VQA = "Salesforce/blip-vqa-base"
CAPTION = "Salesforce/blip-image-captioning-base"

Say = Callable[[str], None]


def scorer_folder(argument: str, name: str, say: Say) -> Path:
    """Return the folder of a model that scores pictures.

    Args:
        argument: The argument that names it, for messages.
        name: A folder, a CLIP of an installed package, or a hub id "owner/name".
        say: Told what is downloaded, before it is.

    Raises:
        InvalidArgument: It is none of these.
        SemguideError: It is not in the hub's cache, and the hub cannot be reached.
    """
    folder = clip_folder(name)
    if folder.is_dir():
        return folder
    if not _HUB_ID.fullmatch(name):
        raise InvalidArgument(argument, "must be a folder or a hub id owner/name", name, "check the path")
    cached = _cached(name)
    return _downloaded(argument, name, say) if cached is None else cached


def _cached(name: str) -> Path | None:
    """Return the folder of a hub id that was downloaded whole; None where it was not."""
    import huggingface_hub
    from huggingface_hub.errors import LocalEntryNotFoundError

    hub: Any = huggingface_hub
    try:
        found = Path(hub.snapshot_download(name, local_files_only=True, allow_patterns=_FILES))
    except LocalEntryNotFoundError:
        return None
    return found if any(found.glob("*.safetensors")) and (found / "config.json").is_file() else None


def _downloaded(argument: str, name: str, say: Say) -> Path:
    import huggingface_hub

    hub: Any = huggingface_hub
    try:
        files = hub.snapshot_download(name, allow_patterns=_FILES, dry_run=True)
        size = sum(file.file_size for file in files if file.will_download) / 1e9
        say(f"downloading {name} ({size:.1f} GB) from the Hugging Face hub, once, to its cache")
        found = Path(hub.snapshot_download(name, allow_patterns=_FILES))
    except (OSError, ValueError) as error:
        raise SemguideError(
            f"the model {name!r} is neither in the hub's cache nor to be had from the Hugging Face hub "
            f"({type(error).__name__}); check name and network, or give a folder"
        ) from error
    if not any(found.glob("*.safetensors")):
        raise InvalidArgument(argument, "must have .safetensors weights", name, "give another model, or a folder")
    return found
