"""Checkpoints that are made from another one, their base: a LoRA of it, or with some of its components.

A semguide.json names the base, which is beside it or embedded. With a LoRA everything else is the base's; otherwise the
folder is one of diffusers without the weights of the components that `shared` lists.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from semguide.errors import InvalidArgument
from semguide.files import hash_file
from semguide.models.catalog import embedded
from semguide.models.config_types import read_config

DEFAULTS = "semguide.json"
"""File of a checkpoint's own defaults; `base` in it makes the folder a derived checkpoint."""
LORA = "pytorch_lora_weights.safetensors"
"""Name that diffusers gives the file of a LoRA."""
OWN = "own.safetensors"
"""Tensors that a shared component of transformers has beside those of the base."""
PREFIX = "text_model."
"""What stands before the names of a CLIP text encoder's weights, or not: that depends on class and version."""
_Weight = TypeVar("_Weight")


@dataclass(frozen=True, slots=True)
class Derived:
    """A checkpoint with a LoRA, or one that shares components with another.

    Attributes:
        folder: The diffusers folder that is loaded: the base with a LoRA, else its own.
        lora: The LoRA's file, which is fused into the base at its full scale; None: there is none.
        scheduler: Class in diffusers, with the configuration of the folder's own; None: the folder's.
    """

    folder: Path
    lora: Path | None
    scheduler: str | None


def derived(path: Path) -> Derived | None:
    """Read what a folder is derived from: the keys `base`, `scheduler` and `shared` of its semguide.json.

    Args:
        path: A checkpoint: a folder or a file.

    Returns:
        None where it is a checkpoint by itself.

    Raises:
        InvalidArgument: The base or the LoRA is not there, or there is a LoRA beside shared components.
    """
    stated = _stated(path)
    if "base" not in stated:
        return None
    base, lora = _base(path, stated), path / LORA
    scheduler = None if stated.get("scheduler") is None else _text(path, stated, "scheduler")
    if "shared" in stated:
        if lora.is_file():
            raise InvalidArgument("model.shared", f"must not stand beside a {LORA}", path, "remove one of them")
        return Derived(path, None, scheduler)
    if not lora.is_file():
        rule = f"must have its LoRA {LORA}, or the key shared in {DEFAULTS}"
        raise InvalidArgument("model", rule, path, "copy or download it completely")
    return Derived(base, lora, scheduler)


def shared_components(path: Path) -> dict[str, Path]:
    """Return where the weights of the components are that a folder shares with its base, but for those in `OWN`.

    Args:
        path: A checkpoint: a folder or a file.

    Returns:
        Component -> the base's folder of it; empty where nothing is shared.

    Raises:
        InvalidArgument: Weights are not there, or there twice.
    """
    stated = _stated(path)
    if not {"base", "shared"} <= set(stated):
        return {}
    base, names = _base(path, stated), stated["shared"]
    if not isinstance(names, dict) or not all(isinstance(value, str) for value in names.values()):
        rule = f"must be an object of components with the hashes of their weights in {path / DEFAULTS}"
        raise InvalidArgument("model.shared", rule, names, "correct or remove it")
    for name in names:
        if not any((base / name).glob("*.safetensors")):
            rule = "must have .safetensors weights, which another checkpoint shares"
            raise InvalidArgument("model", rule, base / name, "copy or download it completely")
        if twice := [file for file in sorted((path / name).glob("*.safetensors")) if file.name != OWN]:
            rule = f"must have no weights of a component that {path / DEFAULTS} lists as shared"
            raise InvalidArgument("model", rule, twice[0], "take the component out of the list, or remove the file")
    return {name: base / name for name in names}


def weight_files(path: Path, component: str) -> list[Path]:
    """Return the files with the weights of a component of a diffusers folder, wherever they are."""
    folders = (shared_components(path).get(component), path / component)
    return [file for folder in folders if folder for file in sorted(folder.glob("*.safetensors"))]


def read_component(path: Path, component: str, kind: Any, **given: Any) -> Any:
    """Read a component of a diffusers folder, which may share its weights with its base; its configuration is its own.

    Args:
        path: The folder.
        component: The component.
        kind: Its class, in diffusers or transformers.
        given: Arguments of its `from_pretrained`.

    Raises:
        RuntimeError: Weights are missing.
        ValueError: The base has other weights than those that are shared.
    """
    shared = shared_components(path).get(component)
    if shared is None:
        return kind.from_pretrained(path / component, **given)
    if hash_weights(shared) != _stated(path)["shared"][component]:
        raise ValueError(f"{shared} has other weights than those shared; take both folders from one export")
    if hasattr(kind, "load_config"):  # of diffusers
        config = {k: v for k, v in kind.load_config(path / component).items() if not k.startswith("_")}
        return kind.from_pretrained(shared, **config, **given)
    import safetensors.torch

    files = weight_files(path, component)
    tensors = {name: tensor for file in files for name, tensor in safetensors.torch.load_file(file).items()}
    model = kind(kind.config_class.from_pretrained(path / component))
    model.load_state_dict(with_names_of(model.state_dict(), tensors))
    return model.to(given.get("dtype")).eval()


def with_names_of(names: Iterable[str], weights: Mapping[str, _Weight]) -> dict[str, _Weight]:
    """Return the weights of a CLIP text encoder under the names of another one, as to `PREFIX`."""
    own = {name.removeprefix(PREFIX): name for name in names}
    return {own.get(name.removeprefix(PREFIX), name): value for name, value in weights.items()}


def hash_weights(folder: Path) -> str:
    """Return the SHA-256 of each safetensors file of a component, one after the other."""
    return " ".join(hash_file(file) for file in sorted(folder.glob("*.safetensors")))


def _stated(path: Path) -> dict[str, Any]:
    file = path / DEFAULTS
    return read_config(file) if path.is_dir() and file.is_file() else {}


def _base(path: Path, stated: dict[str, Any]) -> Path:
    """Return the folder of the base's name beside a checkpoint, else the embedded one."""
    name = _text(path, stated, "base")
    beside = path.parent / name
    if Path(name).name == name != path.name and (beside / "model_index.json").is_file():
        return beside
    bases = {name: model.path for name, model in embedded().items() if model.path != path}
    if name not in bases:
        rule = f"must be a folder beside it or embedded ({', '.join(bases) or 'none is'}) in {path / DEFAULTS}"
        raise InvalidArgument("model.base", rule, name, "copy it there, or install its package")
    return bases[name]


def _text(path: Path, stated: dict[str, Any], key: str) -> str:
    value = stated[key]
    if not isinstance(value, str):
        rule = f"must be a name in {path / DEFAULTS}"
        raise InvalidArgument(f"model.{key}", rule, value, "correct or remove it")
    return value
