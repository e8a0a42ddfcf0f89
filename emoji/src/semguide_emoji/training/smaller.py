"""Smaller exports: matrices in 8 bits, and components that two checkpoints have in common stored once."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from semguide.models.derived import OWN, hash_weights, with_names_of

_COMMON = ("text_encoder", "vae")
"""Components that the recipes of all denoisers leave alone."""


@torch.no_grad()
def round_matrices(module: nn.Module) -> None:
    """Round the matrices of a module to what 8 bits hold (torch.float8_e4m3fn), in the dtype they have."""
    for name, weights in module.named_parameters():
        if _is_matrix(name, weights):
            weights.copy_(weights.to(torch.float8_e4m3fn))


def store_matrices(file: Path) -> None:
    """Write the matrices of a safetensors file in 8 bits; diffusers casts them to the dtype that is asked for."""
    tensors = load_file(file)
    _save({name: t.to(torch.float8_e4m3fn) if _is_matrix(name, t) else t for name, t in tensors.items()}, file)


def share(folder: Path, base: Path) -> dict[str, str]:
    """Remove the weights that a diffusers folder has in common with another; what is its own stays, in `OWN`.

    Args:
        folder: The folder.
        base: The folder that keeps them.

    Returns:
        Component that is to be read from both -> `hash_weights` of what the other keeps.
    """
    found: dict[str, str] = {}
    for component in _COMMON:
        file, kept = (_weights(path / component) for path in (folder, base))
        tensors = load_file(file)
        theirs = with_names_of(tensors, load_file(kept))
        own = {k: tensor for k, tensor in tensors.items() if k not in theirs or not torch.equal(theirs[k], tensor)}
        if len(tensors) - len(own) < len(theirs):
            continue
        file.unlink()
        if own:
            _save(own, file.with_name(OWN))
        found[component] = hash_weights(base / component)
    return found


def _is_matrix(name: str, tensor: Tensor) -> bool:
    return name.endswith(".weight") and tensor.ndim > 1  # a buffer, such as that of positions, is none


def _weights(folder: Path) -> Path:
    return next(folder.glob("*.safetensors"))


def _save(tensors: dict[str, Tensor], file: Path) -> None:
    save_file(tensors, file, metadata={"format": "pt"})
