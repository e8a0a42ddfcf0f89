"""Describe a checkpoint from its JSON files: what it can make, and what it makes by default; no torch."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from semguide.errors import InvalidArgument
from semguide.models.catalog import Source, SourceKind, resolve
from semguide.models.classes import VIDEOS, VideoDefaults
from semguide.models.config_types import check_config_files, read_config
from semguide.models.derived import DEFAULTS
from semguide.models.single_file import open_checkpoint

LARGEST_SIZE = 4096
"""Pixels a side beyond which no size is asked of a model that states no range."""
LARGEST_WHOLE = 2**24
"""Largest size or number of channels that a configuration may state."""
LONGEST_LIST = 16
"""Most resolutions that a configuration may list."""
_SCALE = 7.5
_DEFAULTS = frozenset({"num_inference_steps", "guidance_scale", "height", "width", "smallest", "largest"})


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """A checkpoint as far as its JSON files tell.

    Attributes:
        name: The name it was asked for by.
        kind: Embedded, folder, single file or hub.
        path: Its folder or file.
        configuration: The folder with its JSON files; of a folder itself, or its base.
        pipeline_class: The diffusers class it loads as.
        height: Default height in pixels.
        width: Default width in pixels.
        size_multiple: Heights and widths are multiples of this.
        smallest: Smallest height and width in pixels.
        largest: Largest height and width in pixels.
        num_inference_steps: Default number of steps, None: the pipeline's own.
        guidance_scale: Default guidance scale, None: the pipeline's own.
        guidance_embeds: Whether the denoiser takes the guidance scale as an input.
        distilled: Whether the U-Net is one of a latent consistency model, which does without guidance: its scale is an
            input, too.
        video: What it makes where it makes videos; None: pictures.
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
    guidance_embeds: bool = False
    distilled: bool = False
    video: VideoDefaults | None = None


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
    check_config_files(configuration)
    own = _own_defaults((source.path if source.path.is_dir() else configuration) / DEFAULTS)
    unet = _denoiser(configuration)
    vae = _vae(configuration)
    factor = _factor(vae)
    height, width = (side * factor for side in _sides(unet, factor))
    multiple = math.lcm(8, factor * _patch(unet, vae))
    video = VIDEOS.get(pipeline_class)
    if video is not None:
        height, width = video.height or height, video.width or width
        video = replace(video, num_frames=unet.get(video.fixed, video.num_frames))
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
        guidance_embeds=bool(unet.get("guidance_embeds")),
        distilled=unet.get("time_cond_proj_dim") is not None,
        video=video,
    )


def call_defaults(pipeline_class: str, scale: str = "guidance_scale") -> tuple[int, float]:
    """Return a pipeline class's own default number of steps and guidance scale. Imports diffusers.

    Args:
        pipeline_class: The class.
        scale: Its argument that is the guidance scale; where it is none, 7.5 is returned.
    """
    import diffusers

    parameters = inspect.signature(getattr(diffusers, pipeline_class).__call__).parameters
    own = parameters[scale].default if scale in parameters else None
    return int(parameters["num_inference_steps"].default), float(_SCALE if own is None else own)


def _denoiser(path: Path) -> dict[str, Any]:
    """Read the configuration of the U-Net, or of the transformer in its place, which has one resolution."""
    transformer = _read(path / "transformer" / "config.json")
    return {"sample_size": 0, **transformer, "block_out_channels": [0]} if transformer else _unet(path)


def _unet(path: Path) -> dict[str, Any]:
    return _read(path / "unet" / "config.json")


def _vae(path: Path) -> dict[str, Any]:
    """Read the configuration of the autoencoder; a pipeline without one makes pixels."""
    if not (path / "vae").is_dir() and not (path / "movq").is_dir() and (path / "unet").is_dir():
        return {"block_out_channels": [0]}
    return _read(path / "vae" / "config.json") or _read(path / "movq" / "config.json")


def _factor(vae: dict[str, Any]) -> int:
    """Return how many pixels a side of a latent stands for."""
    for key in ("spatial_compression_ratio", "scale_factor_spatial"):
        if isinstance(vae.get(key), int):
            return vae[key]
    if "temperal_downsample" in vae:
        return 2 ** len(vae["temperal_downsample"])
    return 2 ** (_levels({"block_out_channels": vae.get("encoder_block_out_channels"), **vae}) - 1)


def _patch(denoiser: dict[str, Any], vae: dict[str, Any]) -> int:
    """Return how many latents a side of a token stands for, packed ones included."""
    sizes = denoiser.get("patch_size") or denoiser.get("all_patch_size") or 1
    size = max(sizes) if isinstance(sizes, list) else sizes
    latent = vae.get("latent_channels") or vae.get("z_dim")
    return size * 2 if latent is not None and denoiser.get("in_channels") == 4 * latent else size


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
    """Read a JSON object, its known keys checked; an absent file is an empty one."""
    value = read_config(file)
    for key, (kind, fits) in _KNOWN.items():
        if value.get(key) is not None and not fits(value[key]):
            raise InvalidArgument(f"model.{key}", f"must be {kind} in {file}", value[key], "download it again")
    return value


def _is_whole(value: Any) -> bool:
    return type(value) is int and 0 <= value <= LARGEST_WHOLE


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and 0 < len(value) <= LONGEST_LIST


def _is_wholes(value: Any) -> bool:
    return _is_whole(value) or (_is_list(value) and all(_is_whole(part) for part in value))


def _is_sides(value: Any) -> bool:
    return _is_whole(value) or (_is_wholes(value) and len(value) > 1)


_LIST = (f"a list of 1 to {LONGEST_LIST}", _is_list)
_WHOLE = ("a whole number that is not negative", _is_whole)
_KNOWN: dict[str, tuple[str, Callable[[Any], bool]]] = {
    **dict.fromkeys(("block_out_channels", "encoder_block_out_channels", "temperal_downsample"), _LIST),
    **dict.fromkeys(("in_channels", "latent_channels", "z_dim"), _WHOLE),
    **dict.fromkeys(("spatial_compression_ratio", "scale_factor_spatial"), _WHOLE),
    **dict.fromkeys(("sample_height", "sample_width", "video_length"), _WHOLE),
    **dict.fromkeys(("patch_size", "all_patch_size"), ("a whole number or a list of them", _is_wholes)),
    "sample_size": ("a whole number or a list of two or more", _is_sides),
}
"""What the keys of a configuration that are read here must be, by key: in words, and whether a value is it."""


def _levels(config: dict[str, Any]) -> int:
    """Count the resolutions of a U-Net or VAE configuration, 4 where it does not say (diffusers' default)."""
    return len(config.get("block_out_channels") or (0, 0, 0, 0))


def _sides(denoiser: dict[str, Any], factor: int) -> tuple[int, int]:
    """Return height and width of the latents a denoiser was made for.

    Where it does not say: 64 for a U-Net, and for a transformer what makes 1024 pixels.
    """
    if denoiser.get("sample_height") and denoiser.get("sample_width"):
        return denoiser["sample_height"], denoiser["sample_width"]
    size = denoiser.get("sample_size", 64) or (1024 // factor if denoiser.get("sample_size") == 0 else 64)
    return (size, size) if isinstance(size, int) else (size[0], size[1])
