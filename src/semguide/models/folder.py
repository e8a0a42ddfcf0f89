"""Check that a folder is a diffusers checkpoint that can be steered, from its JSON files; no torch."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from semguide.errors import InvalidArgument, UnsupportedPipeline
from semguide.files import read_json
from semguide.models.classes import STEERABLE

_SHARD = re.compile(r"-\d{5}-of-\d{5}$")


def check_folder(path: Path, shared: Mapping[str, Path] | None = None) -> str:
    """Check that a folder holds a diffusers checkpoint that semguide can load and steer.

    Args:
        path: The folder.
        shared: Component -> where its weights are if they are elsewhere; None: none are.

    Returns:
        The name of its pipeline class.

    Raises:
        InvalidArgument: Something of a diffusers checkpoint is missing; the message names it.
        UnsupportedPipeline: Its pipeline class cannot be steered.
    """
    index = read_index(path)
    pipeline_class = check_class(index, str(path))
    shared, names = shared or {}, list(components(index))
    if unknown := [name for name in shared if name not in names]:
        raise InvalidArgument("model.shared", "must be components of its model_index.json", unknown, "remove them")
    for name in names:
        _check_component(path / name, shared.get(name))
    return pipeline_class


def check_class(index: dict[str, Any], where: str) -> str:
    """Return the pipeline class a model_index.json names; raises UnsupportedPipeline if it cannot be steered."""
    pipeline_class = index.get("_class_name")
    if not isinstance(pipeline_class, str) or pipeline_class not in STEERABLE:
        raise UnsupportedPipeline(
            "model must be a pipeline that semguide can steer and that needs a prompt only (docs/models.md lists "
            f"them), but {where} is a {pipeline_class}; choose another model"
        )
    return pipeline_class


def read_index(path: Path) -> dict[str, Any]:
    """Read model_index.json of a checkpoint folder; raises InvalidArgument if there is none or it is broken."""
    return parse_index(path / "model_index.json", str(path))


def parse_index(file: Path, where: str) -> dict[str, Any]:
    """Read a model_index.json; `where` names the checkpoint in the message."""
    if not file.is_file():
        rule = "must be a diffusers checkpoint, with a model_index.json"
        raise InvalidArgument("model", rule, where, "give the folder that save_pretrained wrote")
    try:
        index = read_json(file)
    except (OSError, ValueError) as error:
        raise InvalidArgument(
            "model", f"must have a model_index.json of valid JSON ({error})", where, "download it again"
        ) from error
    if not isinstance(index, dict):
        raise InvalidArgument("model", "must have a JSON object in model_index.json", where, "download it again")
    return index


def components(index: dict[str, Any]) -> Iterator[str]:
    """Yield the component folders that a model_index.json names: entries [library, class] that are not null."""
    for name, entry in index.items():
        if isinstance(entry, list) and len(entry) == 2 and entry[1] is not None:
            yield name


_COMPLETELY = "copy or download it completely"


def _check_component(folder: Path, shared: Path | None) -> None:
    if not folder.is_dir():
        raise InvalidArgument("model", f"must have its component {folder.name!r}", folder.parent, _COMPLETELY)
    if not (folder / "config.json").is_file() or any((shared or folder).glob("*.safetensors")):
        return
    if any(folder.glob("*.bin")):
        raise InvalidArgument(
            "model",
            "must have safetensors weights, not only .bin files",
            folder,
            "save the pipeline again with save_pretrained(safe_serialization=True)",
        )
    raise InvalidArgument("model", "must have .safetensors weights", folder, _COMPLETELY)


def variants(path: Path) -> set[str]:
    """List the variants of a checkpoint's weights: what stands before .safetensors, as in *.fp16.safetensors."""
    names = [file.name.removesuffix(".safetensors") for file in path.glob("*/*.safetensors")]
    return {_SHARD.sub("", name).rpartition(".")[2] for name in names if "." in _SHARD.sub("", name)}


def variant(path: Path) -> str | None:
    """Return "fp16" where a checkpoint's weights are only there as *.fp16.safetensors, else None."""
    names = [file.name for file in path.glob("*/*.safetensors")]
    return "fp16" if names and all(".fp16." in name or ".fp16-" in name for name in names) else None
