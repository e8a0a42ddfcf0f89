"""A cheap fingerprint of a model's weights: the same for a folder and for the pipeline loaded from it."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semguide.models.derived import weight_files
from semguide.models.folder import components, read_index

if TYPE_CHECKING:
    from torch import Tensor

_PARTS = ("unet", "transformer", "prior", "text_encoder")
"""How the components begin that decide what the denoiser predicts for a text."""
_TOKENS = re.compile(r"embed|shared|lm_head")
"""Weights of a text encoder with a row per token: a textual inversion adds one, and files hold them once or twice."""
_BLOCK = 32
"""Rows and columns of the block that is read of each matrix."""
_BYTES = {"U8": "torch.uint8", "I8": "torch.int8", "I32": "torch.int32"}
"""Packed weights, as in 4 and 8 bit, by their names in the header of a file and in torch."""

Block = tuple[str, "Tensor"]
"""Shape of a matrix, and its first rows and columns."""


def weights_fingerprint(pipe: Any) -> str | None:
    """Hash what a loaded pipeline predicts with: shape, and the signs of a block, of each matrix.

    Of denoiser and text encoders. Rounding changes no sign, so it is the same in every dtype; a fine-tune or an active
    LoRA changes some.

    Args:
        pipe: A diffusers pipeline, on any device, offloaded or not.

    Returns:
        32 hex digits; None where weights cannot be read.
    """
    names = [name for name in getattr(pipe, "config", {}) if name.startswith(_PARTS)]  # components may be deleted
    parts = {name: vars(pipe).get(name) for name in names}
    blocks: list[Block] = []
    scales: list[str] = []
    for name, part in parts.items():
        if not hasattr(part, "state_dict"):
            continue
        found = _blocks_of_module(part, skip_tokens=name.startswith("text_encoder"))
        if found is None:
            return None
        blocks += found
        scales += _adapter_scales(part)
    return _hash(blocks, scales) if blocks else None


def folder_weights_fingerprint(path: Path) -> str | None:
    """Return `weights_fingerprint` of the pipeline that a diffusers folder loads as, without loading it.

    Args:
        path: The folder; of its weights a few kilobytes are read.

    Returns:
        32 hex digits; None where it has no weights.
    """
    parts = [name for name in components(read_index(path)) if name.startswith(_PARTS)]
    blocks = [
        block
        for name in parts
        for file in weight_files(path, name)
        for block in _blocks_of_file(file, skip_tokens=name.startswith("text_encoder"))
    ]
    return _hash(blocks, []) if blocks else None


def _blocks_of_module(module: Any, skip_tokens: bool) -> list[Block] | None:
    """Return a block of each matrix; None where one cannot be read."""
    import torch

    blocks: list[Block] = []
    for name, value in module.state_dict().items():
        if not isinstance(value, torch.Tensor) or not _counts(name, value.shape, str(value.dtype), skip_tokens):
            continue
        held = _offloaded(module, name) if value.is_meta else value
        if held is None or hasattr(type(held), "__tensor_flatten__"):  # packed in a way that only its package reads
            return None
        plain = held.detach().as_subclass(torch.Tensor)
        blocks.append((_shape(plain.shape), plain[_first(plain.ndim)]))
    return blocks


def _blocks_of_file(file: Path, skip_tokens: bool) -> Iterator[Block]:
    import safetensors

    with safetensors.safe_open(file, framework="pt") as stream:
        for name in stream.keys():  # noqa: SIM118 - it is no mapping
            piece: Any = stream.get_slice(name)
            shape, dtype = piece.get_shape(), str(piece.get_dtype())
            if _counts(name, shape, _BYTES.get(dtype, dtype), skip_tokens):
                yield _shape(shape), piece[_first(len(shape))]


def _counts(name: str, shape: Iterable[int], dtype: str, skip_tokens: bool) -> bool:
    """Whether a tensor is a matrix of weights."""
    kind = dtype in _BYTES.values() or "float" in dtype or dtype[:1] in ("F", "B")
    sides = list(shape)
    return kind and len(sides) >= 2 and math.prod(sides) > 0 and not (skip_tokens and _TOKENS.search(name))


def _first(ndim: int) -> tuple[slice, ...]:
    """Index the block: the first rows and columns, the first of every other side."""
    return (slice(_BLOCK), slice(_BLOCK), *[slice(1)] * (ndim - 2))


def _shape(sides: Iterable[int]) -> str:
    return "x".join(map(str, sides))


def _offloaded(module: Any, name: str) -> Tensor | None:
    """Return a tensor that accelerate's sequential offload keeps away from its module; None where it is not there."""
    owner, _, own = name.rpartition(".")
    hook = getattr(module.get_submodule(owner), "_hf_hook", None)
    for found in (hook, *getattr(hook, "hooks", ())):
        kept: Mapping[str, Tensor] | None = getattr(found, "weights_map", None)
        if kept is not None:
            return kept[own]
    return None


def _adapter_scales(module: Any) -> list[str]:
    """Return the scales of the active LoRAs, layer by layer."""
    layers = [layer for layer in module.modules() if hasattr(layer, "scaling") and hasattr(layer, "active_adapters")]
    return [f"{layer.scaling[name]:.6g}" for layer in layers for name in layer.active_adapters if name in layer.scaling]


def _hash(blocks: list[Block], scales: list[str]) -> str:
    """Hash what is different: names play no part, as libraries rename weights when they load them."""
    digests = {hashlib.sha256(shape.encode() + b"\0" + signs).digest() for shape, signs in _read(blocks)}
    total = hashlib.sha256(b"".join(sorted(digests)))
    total.update(" ".join(scales).encode())
    return total.hexdigest()[:32]


def _read(blocks: list[Block]) -> Iterator[tuple[str, bytes]]:
    """Yield shape and content of each block; what is on one device is moved off it in one piece."""
    import torch

    flat = [_content(block).reshape(-1) for _, block in blocks]
    moved: dict[int, bytes] = {}
    for device in dict.fromkeys(part.device for part in flat):
        here = [index for index, part in enumerate(flat) if part.device == device]
        joined = torch.cat([flat[index] for index in here]).cpu().numpy().tobytes()
        start = 0
        for index in here:
            moved[index] = joined[start : start + flat[index].numel()]
            start += flat[index].numel()
    for index, (shape, _) in enumerate(blocks):
        yield shape, moved[index]


def _content(block: Tensor) -> Tensor:
    """Return the signs of a block, or the bytes of packed weights."""
    import torch

    if block.is_floating_point():
        return torch.signbit(block.float()).to(torch.uint8)
    return block.contiguous().view(torch.uint8)
