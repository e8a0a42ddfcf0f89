"""How a checkpoint is loaded: dtype, variant, offload, adapters, scheduler; to and from JSON. No torch."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from semguide.errors import InvalidArgument

AUTO = "auto"
FLOAT32 = "float32"
DTYPES = (AUTO, FLOAT32, "bfloat16", "float16")
OFFLOADS = ("none", "model", "group", "sequential")


@dataclass(frozen=True, slots=True)
class Lora:
    """A LoRA.

    Attributes:
        path: Its .safetensors file.
        scale: Factor of its update of the weights, finite; 0 turns it off.
    """

    path: str
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How a checkpoint is loaded.

    Attributes:
        dtype: Of all weights: a name of `DTYPES`. "auto" is float32 on every device, as in half precision a seed makes
            another picture, and in bfloat16 the published rules lose some (docs/results.md).
        variant: Which weight files of a folder, such as "fp16" for *.fp16.safetensors; None: those without one, or fp16
            where there are no others.
        offload: What waits on the CPU while it is not needed: "none", "model" (whole components), "group" (layers) or
            "sequential" (layers, the least memory and the slowest).
        vae_tiling: Decode the image in tiles, which takes less memory.
        loras: LoRAs, all active.
        embeddings: Textual inversions, as .safetensors files.
        scheduler: Class in diffusers, with the configuration of the checkpoint's own; None: its own.
        config: Folder with the configuration of a single-file checkpoint, and with the weights of parts that the file
            does not hold; None: the hub's cache.

    Raises:
        InvalidArgument: A value breaks a rule.
    """

    dtype: str = FLOAT32
    variant: str | None = None
    offload: str = "none"
    vae_tiling: bool = False
    loras: tuple[Lora, ...] = ()
    embeddings: tuple[str, ...] = ()
    scheduler: str | None = None
    config: str | None = None

    def __post_init__(self) -> None:
        for name, valid in (("dtype", DTYPES), ("offload", OFFLOADS)):
            if getattr(self, name) not in valid:
                raise InvalidArgument(
                    name, f"must be one of {', '.join(valid)}", getattr(self, name), f"try {valid[0]}"
                )
        for lora in self.loras:
            if not math.isfinite(lora.scale):
                raise InvalidArgument("loras", "must have a finite scale", lora.scale, "try 1.0")
        for name, paths in (("loras", [lora.path for lora in self.loras]), ("embeddings", self.embeddings)):
            if len(set(paths)) < len(paths):
                raise InvalidArgument(name, "must be different files", list(paths), "give each once")

    @property
    def resolved(self) -> LoadOptions:
        """The options with the dtype that "auto" stands for."""
        return replace(self, dtype=FLOAT32) if self.dtype == AUTO else self

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that change what the checkpoint does: LoRAs, then embeddings."""
        return (*(Path(lora.path) for lora in self.loras), *map(Path, self.embeddings))

    def to_json(self) -> dict[str, Any]:
        """Return the options as JSON values, which `from_json` reads."""
        return json.loads(json.dumps(asdict(self)))

    @classmethod
    def from_json(cls, data: Any) -> LoadOptions:
        """Read options from JSON values; keys that are left out have their defaults.

        Raises:
            InvalidArgument: A key is unknown, or a value of the wrong type or out of range.
        """
        known = {field.name for field in fields(cls)}
        if not isinstance(data, dict) or not set(data) <= known:
            raise InvalidArgument("loading", f"must be an object of {', '.join(sorted(known))}", data, _REMEDY)
        texts = {key: _checked(data, key, _is_text) for key in ("dtype", "offload") if key in data}
        optional = {key: _checked(data, key, _is_text_or_none) for key in ("variant", "scheduler", "config")}
        return cls(
            **texts,
            **optional,
            vae_tiling=_checked({"vae_tiling": False, **data}, "vae_tiling", lambda value: isinstance(value, bool)),
            loras=tuple(
                Lora(item["path"], float(item["scale"]))
                for item in _checked({"loras": [], **data}, "loras", _are_loras)
            ),
            embeddings=tuple(_checked({"embeddings": [], **data}, "embeddings", _are_texts)),
        )


def parse_lora(text: str) -> Lora:
    """Read PATH or PATH:SCALE; the path is made absolute."""
    path, colon, scale = text.rpartition(":")
    if colon:
        try:
            return Lora(absolute(path), float(scale))
        except ValueError:
            pass  # a colon of the path's own
    return Lora(absolute(text))


def absolute(path: str) -> str:
    """Return a path as it is found from any working directory."""
    return str(Path(path).expanduser().absolute())


_REMEDY = "give the run.json as semguide wrote it"


def _checked(data: dict[str, Any], key: str, right: Any) -> Any:
    value = data.get(key)
    if not right(value):
        raise InvalidArgument(f"loading.{key}", "must be of the type that semguide writes", value, _REMEDY)
    return value


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_text_or_none(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _are_loras(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, dict)
        and set(item) == {"path", "scale"}
        and isinstance(item["path"], str)
        and isinstance(item["scale"], int | float)
        and not isinstance(item["scale"], bool)
        for item in value
    )
