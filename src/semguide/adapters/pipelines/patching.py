"""Context managers that patch a pipeline and restore it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from semguide.errors import UnsupportedPipeline

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
def tapped_method(owner: Any, name: str, take: Callable[[Any], None]) -> Iterator[None]:
    """Hand what a method returns to a function, too, while the context lasts; nothing where there is no such method."""
    method = getattr(owner, name, None)
    if method is None:
        yield
        return

    def tapped(*args: Any, **kwargs: Any) -> Any:
        result = method(*args, **kwargs)
        take(result)
        return result

    with replaced_attribute(owner, name, tapped):
        yield


@contextmanager
def replaced_attribute(owner: Any, name: str, value: Any) -> Iterator[None]:
    """Give an attribute of an object another value while the context lasts."""
    before = vars(owner).get(name, _NONE)
    setattr(owner, name, value)
    try:
        yield
    finally:
        if before is _NONE:
            delattr(owner, name)
        else:
            setattr(owner, name, before)


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


def check_no_cache(denoiser: Any, name: str) -> None:
    """Check that a denoiser does not skip work by what it computed before: concepts would be mixed with the prompt.

    Raises:
        UnsupportedPipeline: It does.
    """
    if getattr(denoiser, "is_cache_enabled", False):
        raise UnsupportedPipeline(
            f"pipe.{name} caches between its calls, which would mix up concepts; call pipe.{name}.disable_cache() first"
        )


def _uncompiled(module: Any, wrapper: Forward) -> Forward:
    """Keep the compiler out of the wrapper, but not out of the denoiser that it calls (`module.compile()`)."""
    if getattr(module, "_compiled_call_impl", None) is None:
        return wrapper
    return torch.compiler.disable(wrapper, recursive=False)
