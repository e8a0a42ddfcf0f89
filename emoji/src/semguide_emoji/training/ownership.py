"""What training writes: only over what training wrote, and never through a link."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from safetensors import SafetensorError, safe_open

from semguide.errors import InvalidArgument
from semguide.models.derived import LORA
from semguide.runs.ownership import check_ours, is_folder, is_json
from semguide_emoji.training.history import HISTORY, earlier
from semguide_emoji.training.loop import LOG, SETTINGS, STATE

PARTS = ("vae", "tokenizer", "clip", "text_encoder", "unet", "flow", "judge", "lora", "turbo")
"""Folders of a set."""
TRAINING = "training"
"""Folder of the runs of a set."""
_EXPORTED = frozenset(
    {"README.md", HISTORY, "semguide.json", "semguide-examples.json", "calibration.json", "model_index.json"}
    | {
        "config.json",
        "model.safetensors",
        LORA,
        "scheduler",
        "unet",
        "transformer",
        "vae",
    }
    | {f"{part}{number}" for part in ("text_encoder", "tokenizer") for number in ("", "_2", "_3")}
)
"""What an exported checkpoint consists of."""


def check_set(folder: Path, recipe: str) -> None:
    """Check that a folder can be trained in: new, empty or an earlier set, and without links.

    Args:
        folder: The set.
        recipe: The recipe that is to be run.

    Raises:
        InvalidArgument: It holds something else.
    """
    if folder.is_dir() and any(folder.iterdir()) and not ((folder / TRAINING).is_dir() or (folder / HISTORY).is_file()):
        rule = "must be new, empty or the folder of an earlier semguide train, with no other files"
        raise InvalidArgument("out", rule, folder, "choose another folder")
    check_ours("out", folder, {**dict.fromkeys((*PARTS, TRAINING), is_folder), HISTORY: is_json("runs")})
    for part in PARTS:
        check_ours("out", folder, {f"{part}/{file.name}": Path.is_file for file in (folder / part).glob("*")})
    run = f"{TRAINING}/{recipe}"
    sheets = {f"{run}/{file.name}": Path.is_file for file in (folder / run).glob("sheet-*.png")}
    names = {
        run: is_folder,
        f"{run}/{SETTINGS}": is_json("steps"),
        f"{run}/{STATE}": _is_state,
        f"{run}/{LOG}": _is_log,
    }
    check_ours("out", folder, {**names, **sheets})


def _is_state(file: Path) -> bool:
    try:
        with safe_open(file, "pt") as tensors:
            return "state" in (tensors.metadata() or {})
    except (OSError, SafetensorError):
        return False


def _is_log(file: Path) -> bool:
    try:
        return file.read_bytes()[:9] in (b"", b'{"step": ')
    except OSError:
        return False


def is_export(folder: Path) -> bool:
    """Whether a folder is an exported checkpoint, with nothing else in it."""
    if not (folder / HISTORY).is_file():
        return False
    try:
        earlier(folder)
    except InvalidArgument:
        return False
    return {file.name for file in folder.iterdir()} <= _EXPORTED


def save_part(folder: Path, save: Callable[[Path], object]) -> None:
    """Write the files of a part beside it and rename each, so that nothing is written through a link.

    Args:
        folder: The part.
        save: Writes the part to the folder it is given.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as name:
        save(Path(name))
        for file in sorted(Path(name).iterdir()):
            file.replace(folder / file.name)
