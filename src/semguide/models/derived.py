"""Checkpoints that are made from another one, their base: a LoRA of it, or with some of its components.

A semguide.json names the base, which is beside it or embedded. With a LoRA everything else is the base's; otherwise the
folder is one of diffusers without the weights of the components that `shared` lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from semguide.errors import InvalidArgument
from semguide.models.catalog import embedded
from semguide.models.config_types import read_config

DEFAULTS = "semguide.json"
"""File of a checkpoint's own defaults; `base` in it makes the folder a derived checkpoint."""
LORA = "pytorch_lora_weights.safetensors"
"""Name that diffusers gives the file of a LoRA."""
OWN = "own.safetensors"
"""Tensors that a shared component of transformers has beside those of the base."""


@dataclass(frozen=True, slots=True)
class Derived:
    """A checkpoint with a LoRA, or one that shares components with another.

    Attributes:
        folder: The diffusers folder that is loaded: the base with a LoRA, else its own.
        lora: The LoRA's file, which is fused into the base at its full scale; None: there is none.
        scheduler: Class in diffusers, with the configuration of the folder's own; None: the folder's.
        shared: Component -> the base's folder of it, which has its weights but for those in `OWN`.
    """

    folder: Path
    lora: Path | None
    scheduler: str | None
    shared: Mapping[str, Path] = field(default_factory=dict)


def derived(path: Path) -> Derived | None:
    """Read what a folder is derived from: the keys `base`, `scheduler` and `shared` of its semguide.json.

    Args:
        path: A checkpoint: a folder or a file.

    Returns:
        None where it is a checkpoint by itself.

    Raises:
        InvalidArgument: The base or the LoRA is not there.
    """
    file = path / DEFAULTS
    if not path.is_dir() or not file.is_file():
        return None
    stated = read_config(file)
    if "base" not in stated:
        return None
    base, scheduler, lora = _base(path, _text(stated, "base", file)), stated.get("scheduler"), path / LORA
    switched = None if scheduler is None else _text(stated, "scheduler", file)
    if "shared" in stated:
        return Derived(path, None, switched, {name: base / name for name in _names(stated, "shared", file)})
    if not lora.is_file():
        raise InvalidArgument("model", f"must have its LoRA {LORA}", path, "copy or download it completely")
    return Derived(base, lora, switched)


def weight_files(path: Path, component: str) -> list[Path]:
    """Return the files with the weights of a component of a diffusers folder, the base's first where it shares them."""
    own = derived(path)
    shared = own.shared.get(component) if own is not None else None
    return [file for folder in (shared, path / component) if folder for file in sorted(folder.glob("*.safetensors"))]


def read_component(path: Path, component: str, kind: Any, **given: Any) -> Any:
    """Read a component of a diffusers folder, which may share its weights with its base; its configuration is its own.

    Args:
        path: The folder.
        component: The component.
        kind: Its class, in diffusers or transformers.
        given: Arguments of its `from_pretrained`.
    """
    own = derived(path)
    shared = own.shared.get(component) if own is not None else None
    if shared is None:
        return kind.from_pretrained(path / component, **given)
    if hasattr(kind, "load_config"):  # of diffusers
        config = kind.load_config(path / component)
        return kind.from_pretrained(shared, **{k: v for k, v in config.items() if not k.startswith("_")}, **given)
    import safetensors.torch

    files = weight_files(path, component)
    tensors = {name: tensor for file in files for name, tensor in safetensors.torch.load_file(file).items()}
    config = kind.config_class.from_pretrained(path / component)
    return kind.from_pretrained(None, config=config, state_dict=tensors, **given)


def _base(path: Path, name: str) -> Path:
    """Return the folder of that name beside a checkpoint, else the embedded one."""
    beside = path.parent / name
    if Path(name).name == name != path.name and (beside / "model_index.json").is_file():
        return beside
    bases = {name: model.path for name, model in embedded().items() if model.path != path}
    if name not in bases:
        rule = f"must be a folder beside it or embedded ({', '.join(bases) or 'none is'}) in {path / DEFAULTS}"
        raise InvalidArgument("model.base", rule, name, "install its package")
    return bases[name]


def _text(stated: dict[str, Any], key: str, file: Path) -> str:
    value = stated[key]
    if not isinstance(value, str):
        raise InvalidArgument(f"model.{key}", f"must be a name in {file}", value, "correct or remove it")
    return value


def _names(stated: dict[str, Any], key: str, file: Path) -> list[str]:
    value = stated[key]
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise InvalidArgument(f"model.{key}", f"must be a list of components in {file}", value, "correct or remove it")
    return value
