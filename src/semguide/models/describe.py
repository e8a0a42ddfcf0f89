"""What a checkpoint can make and what it makes by default, read from its JSON files; no torch."""

from __future__ import annotations

import inspect
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semguide.errors import InvalidArgument
from semguide.models.catalog import Source, SourceKind, resolve
from semguide.models.single_file import open_checkpoint

LARGEST_SIZE = 4096
"""Pixels a side beyond which no size is asked of a model that states no range."""
_DEFAULTS = frozenset({"num_inference_steps", "guidance_scale", "height", "width", "smallest", "largest"})


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """A checkpoint as far as its JSON files tell.

    Attributes:
        name: The name it was asked for by.
        kind: Embedded, folder, single file or hub.
        path: Its folder or file.
        configuration: The folder with its JSON files; of a folder, itself.
        pipeline_class: The diffusers class it loads as.
        height: Default height in pixels.
        width: Default width in pixels.
        size_multiple: Heights and widths are multiples of this.
        smallest: Smallest height and width in pixels.
        largest: Largest height and width in pixels.
        num_inference_steps: Default number of steps, None: the pipeline's own.
        guidance_scale: Default guidance scale, None: the pipeline's own.
    """

    name: str
    kind: SourceKind
    path: Path
    configuration: Path
    pipeline_class: str
    height: int
    width: int
    size_multiple: int
    smallest: int
    largest: int
    num_inference_steps: int | None
    guidance_scale: float | None


def describe(model: str | Source, config: str | None = None) -> ModelDescription:
    """Describe a checkpoint that is on this machine.

    Defaults come from `semguide.json` beside model_index.json where there is one (keys num_inference_steps,
    guidance_scale, height, width, smallest, largest; all optional), else from the checkpoint's configuration.

    Args:
        model: An embedded name, a folder, a single file, or a source whose path is known (see `fetch` for a hub id).
        config: `LoadOptions.config`.

    Raises:
        InvalidArgument: It is not a diffusers checkpoint, or a hub id that has not been fetched.
        UnsupportedPipeline: Its pipeline class cannot be steered.
    """
    source = resolve(model) if isinstance(model, str) else model
    if source.path is None:
        raise InvalidArgument("model", "must be on this machine, no hub id", source.name, "fetch it first")
    configuration, pipeline_class = open_checkpoint(source.path, config)
    own = _own_defaults(configuration / "semguide.json")
    unet = _denoiser(configuration)
    factor = 2 ** (_levels(_read(configuration / "vae" / "config.json")) - 1)
    height, width = (side * factor for side in _sides(unet))
    multiple = math.lcm(8, factor * unet.get("patch_size", 1))
    return ModelDescription(
        name=source.name,
        kind=source.kind,
        path=source.path,
        configuration=configuration,
        pipeline_class=pipeline_class,
        height=own.get("height", height),
        width=own.get("width", width),
        size_multiple=multiple,
        smallest=own.get("smallest", math.lcm(multiple, factor * 2 ** (_levels(unet) - 1))),
        largest=own.get("largest", LARGEST_SIZE),
        num_inference_steps=own.get("num_inference_steps"),
        guidance_scale=own.get("guidance_scale"),
    )


def call_defaults(pipeline_class: str) -> tuple[int, float]:
    """Return a pipeline class's own default number of steps and guidance scale. Imports diffusers."""
    import diffusers

    parameters = inspect.signature(getattr(diffusers, pipeline_class).__call__).parameters
    return int(parameters["num_inference_steps"].default), float(parameters["guidance_scale"].default)


def _denoiser(path: Path) -> dict[str, Any]:
    """Read the configuration of the U-Net, or of the transformer in its place, which has one resolution."""
    transformer = _read(path / "transformer" / "config.json")
    return {**transformer, "block_out_channels": [0]} if transformer else _read(path / "unet" / "config.json")


def _own_defaults(file: Path) -> dict[str, Any]:
    """Read semguide.json: the known keys, each a positive finite number."""
    defaults = {key: value for key, value in _read(file).items() if key in _DEFAULTS}
    for key, value in defaults.items():
        whole = key != "guidance_scale"
        if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)) or not 0 < value < math.inf:
            kind = "a positive whole number" if whole else "a positive number"
            raise InvalidArgument(f"model.{key}", f"must be {kind} in {file}", value, "correct or remove it")
    return defaults


def _read(file: Path) -> dict[str, Any]:
    """Read a JSON object; an absent file is an empty one."""
    if not file.is_file():
        return {}
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InvalidArgument("model", f"must have files of valid JSON ({error})", file, "download it again") from error
    return value if isinstance(value, dict) else {}


def _levels(config: dict[str, Any]) -> int:
    """Count the resolutions of a U-Net or VAE configuration, 4 where it does not say (diffusers' default)."""
    return len(config.get("block_out_channels") or (0, 0, 0, 0))


def _sides(unet: dict[str, Any]) -> tuple[int, int]:
    """Return height and width of the latents a U-Net was made for, 64 where it does not say."""
    size = unet.get("sample_size") or 64
    return (size, size) if isinstance(size, int) else (size[0], size[1])
