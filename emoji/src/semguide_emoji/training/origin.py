"""Start a set from an exported checkpoint."""

from __future__ import annotations

import shutil
from importlib import import_module
from pathlib import Path

from semguide.errors import InvalidArgument
from semguide.files import atomic, atomic_folder
from semguide.models.derived import read_component, shared_components
from semguide.models.folder import read_index
from semguide_emoji.training.history import HISTORY

#: Recipe -> the folder of its own part, in an exported checkpoint and in a set; None where it trains a part of all.
_OWN = {
    "unet": ("unet", "unet"),
    "lora": ("unet", "unet"),
    "turbo": ("unet", "unet"),
    "flow": ("transformer", "flow"),
    "decoder": None,
}


def take_up(checkpoint: Path, folder: Path, recipe: str) -> None:
    """Copy what a recipe builds on from an exported checkpoint into a set that lacks it, with the list of its runs.

    That is autoencoder, text encoder and tokenizer, and the denoiser if it is the one that the recipe trains. What the
    set holds already stays, so that a run that was stopped goes on with the same command.

    Args:
        checkpoint: A folder that `semguide train export` wrote: emoji-unet or emoji-flow.
        folder: The set; made if it is missing.
        recipe: "unet", "lora", "turbo", "flow" or "decoder".

    Raises:
        InvalidArgument: It is no such checkpoint, or the recipe starts from nothing.
    """
    if recipe not in _OWN:
        raise InvalidArgument("recipe", f"must be one of {', '.join(_OWN)} beside {{source}}", recipe)
    if not (checkpoint / "model_index.json").is_file():
        raise InvalidArgument("source", "must be an exported checkpoint with a model_index.json", checkpoint)
    folder.mkdir(parents=True, exist_ok=True)
    _take(checkpoint, "vae", folder)
    if not (folder / "clip").exists():
        _take(checkpoint, "text_encoder", folder)
    _copy(checkpoint / "tokenizer", folder / "tokenizer")
    own = _OWN[recipe]
    if own is not None:
        _copy(checkpoint / own[0], folder / own[1])
    if (checkpoint / HISTORY).is_file() and not (folder / HISTORY).exists():
        with atomic(folder / HISTORY) as temporary:
            shutil.copyfile(checkpoint / HISTORY, temporary)


def _take(checkpoint: Path, component: str, folder: Path) -> None:
    """Copy a component whole, from wherever the checkpoint has its weights."""
    if component not in shared_components(checkpoint):
        _copy(checkpoint / component, folder / component)
    elif not (folder / component).exists():
        library, kind = read_index(checkpoint)[component]
        read = read_component(checkpoint, component, getattr(import_module(library), kind))
        with atomic_folder(folder / component) as temporary:
            read.save_pretrained(temporary)


def _copy(source: Path, target: Path) -> None:
    """Copy a folder that is there to where there is none."""
    if source.is_dir() and not target.exists():
        with atomic_folder(target) as temporary:
            shutil.copytree(source, temporary, dirs_exist_ok=True)
