"""One hash of everything in a checkpoint folder that decides its images."""

from __future__ import annotations

import hashlib
from pathlib import Path

_CHUNK = 1 << 22
SUFFIXES = frozenset({".json", ".safetensors", ".txt", ".model"})
"""Of the files that decide what a model does."""


def fingerprint(path: Path) -> str:
    """Hash a checkpoint folder: names and contents of model_index.json and of its components' files.

    The model card and semguide.json (defaults, which every run records itself) are left out.

    Args:
        path: A diffusers folder.

    Returns:
        "sha256:" and 64 hex digits.
    """
    total = hashlib.sha256()
    for file in [path / "model_index.json", *sorted(path.glob("*/*"))]:
        if file.is_file() and file.suffix in SUFFIXES:
            total.update(f"{file.relative_to(path).as_posix()}\0{hash_file(file)}\n".encode())
    return f"sha256:{total.hexdigest()}"


def fingerprint_files(folder: Path) -> str:
    """Hash names and contents of the files of a folder that decide what its model does: "sha256:" and 64 hex digits."""
    total = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        if file.is_file() and file.suffix in SUFFIXES:
            total.update(f"{file.name}\0{hash_file(file)}\n".encode())
    return f"sha256:{total.hexdigest()}"


def hash_file(file: Path) -> str:
    """Return 64 hex digits over a file's content, read in pieces."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
