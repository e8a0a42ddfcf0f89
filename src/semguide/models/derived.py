"""Checkpoints that are an embedded one with a LoRA: a folder with the LoRA and a semguide.json that names the rest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semguide.errors import InvalidArgument
from semguide.models.catalog import embedded
from semguide.models.config_types import read_config

DEFAULTS = "semguide.json"
"""File of a checkpoint's own defaults; `base` in it makes the folder a derived checkpoint."""
LORA = "pytorch_lora_weights.safetensors"
"""Name that diffusers gives the file of a LoRA."""


@dataclass(frozen=True, slots=True)
class Derived:
    """An embedded checkpoint with a LoRA.

    Attributes:
        base: The diffusers folder of the embedded checkpoint.
        lora: The LoRA's file, which is fused into the base at its full scale.
        scheduler: Class in diffusers, with the configuration of the base's own; None: the base's.
    """

    base: Path
    lora: Path
    scheduler: str | None


def derived(path: Path) -> Derived | None:
    """Read what a folder is derived from: the keys `base`, an embedded name, and `scheduler` of its semguide.json.

    Args:
        path: A checkpoint: a folder or a file.

    Returns:
        None where it is a checkpoint by itself.

    Raises:
        InvalidArgument: The base is not embedded, or the LoRA is not there.
    """
    file = path / DEFAULTS
    if not path.is_dir() or not file.is_file():
        return None
    stated = read_config(file)
    if "base" not in stated:
        return None
    bases = {name: model.path for name, model in embedded().items() if model.path != path}
    base, scheduler, lora = _text(stated, "base", file), stated.get("scheduler"), path / LORA
    if base not in bases:
        known = ", ".join(bases) or "none is"
        raise InvalidArgument("model.base", f"must be embedded ({known}) in {file}", base, "install its package")
    if not lora.is_file():
        raise InvalidArgument("model", f"must have its LoRA {LORA}", path, "copy or download it completely")
    return Derived(bases[base], lora, None if scheduler is None else _text(stated, "scheduler", file))


def _text(stated: dict[str, Any], key: str, file: Path) -> str:
    value = stated[key]
    if not isinstance(value, str):
        raise InvalidArgument(f"model.{key}", f"must be a name in {file}", value, "correct or remove it")
    return value
