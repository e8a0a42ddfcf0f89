"""Changes of a pipeline's parts for the time of one call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

Forward = Callable[..., Any]
_NONE = object()


@contextmanager
def replaced_forward(module: Any, wrap: Callable[[Forward], Forward]) -> Iterator[None]:
    """Replace the forward of a module while the context lasts.

    What is wrapped is the forward of that moment, so the wrapper of an offload hook stays in force. Model offload takes
    its hooks off and puts them on again at the end of a pipeline call, which removes the replacement on the way; then
    there is nothing to put back.

    Args:
        module: A torch module, compiled or not.
        wrap: Makes the new forward of the present one.
    """
    before = module.__dict__.get("forward", _NONE)
    wrapper = _uncompiled(module, wrap(module.forward))
    module.forward = wrapper
    try:
        yield
    finally:
        if module.__dict__.get("forward") is wrapper:
            if before is _NONE:
                del module.forward
            else:
                module.forward = before


@contextmanager
def one_by_one_decoding(vae: Any) -> Iterator[None]:
    """Have the autoencoder decode image by image, so that no image depends on its batch, while the context lasts."""
    before = getattr(vae, "use_slicing", None)
    if before is None:
        yield
        return
    vae.use_slicing = True
    try:
        yield
    finally:
        vae.use_slicing = before


def _uncompiled(module: Any, wrapper: Forward) -> Forward:
    """Keep the compiler out of the wrapper, but not out of the denoiser that it calls (`module.compile()`)."""
    if getattr(module, "_compiled_call_impl", None) is None:
        return wrapper
    return torch.compiler.disable(wrapper, recursive=False)
