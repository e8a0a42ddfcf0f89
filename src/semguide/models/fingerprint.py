"""Hash everything in a checkpoint that decides its images."""

from __future__ import annotations

import hashlib
from pathlib import Path

from semguide.files import hash_file
from semguide.models.derived import derived, shared_components
from semguide.models.options import LoadOptions
from semguide.models.single_file import SUFFIX, find_configuration

SUFFIXES = frozenset({".json", ".safetensors", ".txt", ".model"})
"""Of the files that decide what a model does."""


def fingerprint(path: Path, options: LoadOptions | None = None) -> str:
    """Hash a checkpoint: names and contents of model_index.json and of its components' files, LoRAs and embeddings.

    The model card and semguide.json (defaults, which every run records itself) are left out, and of the configuration
    of a single file its weights.

    Args:
        path: A diffusers folder, or a .safetensors file.
        options: How it is loaded; None: by the defaults.

    Returns:
        "sha256:" and 64 hex digits.
    """
    options = options or LoadOptions()
    total = hashlib.sha256()
    own = derived(path)
    if own is not None:
        path = own.folder
        if own.lora is not None or own.scheduler is not None:
            total.update(f"{own.scheduler}\0{hash_file(own.lora) if own.lora else ''}\n".encode())
    shared = [file for folder in shared_components(path).values() for file in sorted(folder.glob(f"*{SUFFIX}"))]
    folder = path if path.is_dir() else find_configuration(path, options.config)
    left_out = set() if path.is_dir() else {SUFFIX}
    for file in [folder / "model_index.json", *sorted(folder.glob("*/*"))]:
        if file.is_file() and file.suffix in SUFFIXES - left_out:
            total.update(f"{file.relative_to(folder).as_posix()}\0{hash_file(file)}\n".encode())
    for file in (*([] if path.is_dir() else [path]), *shared, *options.files):
        total.update(f"\0{hash_file(file)}\n".encode())
    return f"sha256:{total.hexdigest()}"


def fingerprint_files(folder: Path) -> str:
    """Hash names and contents of the files of a folder that decide what its model does: "sha256:" and 64 hex digits."""
    total = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        if file.is_file() and file.suffix in SUFFIXES:
            total.update(f"{file.name}\0{hash_file(file)}\n".encode())
    return f"sha256:{total.hexdigest()}"
