"""The adapters (LoRAs) of a denoiser at another scale, for a while."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from torch import nn

from semguide.errors import InvalidArgument


def adapter_layers(pipe: Any, denoisers: Sequence[str], method: str) -> list[Any]:
    """Return the layers of a pipeline's denoisers that hold adapters.

    Args:
        pipe: The pipeline.
        denoisers: The names of its denoisers.
        method: The rule that needs them.

    Raises:
        InvalidArgument: There is none, or their scale cannot be changed.
    """
    tuners: Any = sys.modules.get("peft.tuners.tuners_utils")  # who has loaded a LoRA has loaded this
    parts = [getattr(pipe, name, None) for name in denoisers]
    modules = [module for part in parts if isinstance(part, nn.Module) for module in part.modules()]
    found = [] if tuners is None else [module for module in modules if isinstance(module, tuners.BaseTunerLayer)]
    scaled = [layer for layer in found if isinstance(getattr(layer, "scaling", None), dict) and layer.scaling]
    if not scaled:
        rule = "must be another one where the denoiser has no LoRA"
        raise InvalidArgument("method", rule, method, "load one, in Python by pipe.load_lora_weights")
    if any(layer.merged for layer in scaled):
        rule = "must be another one where LoRAs are fused into the weights"
        raise InvalidArgument("method", rule, method, "take them out by pipe.unfuse_lora()")
    return scaled


@contextmanager
def adapters_scaled(layers: Sequence[Any], share: float) -> Iterator[None]:
    """Let adapters have a share of their scales while the context lasts; afterwards they have them to the bit.

    Args:
        layers: From `adapter_layers`.
        share: Factor of their scales; 0 leaves the model without them.
    """
    own = [dict(layer.scaling) for layer in layers]
    try:
        for layer, scales in zip(layers, own, strict=True):
            layer.scaling.update({name: scale * share for name, scale in scales.items()})
        yield
    finally:
        for layer, scales in zip(layers, own, strict=True):
            layer.scaling.update(scales)
