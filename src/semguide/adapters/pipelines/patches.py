"""Watches what others have put around or into a denoiser, and is let in, for state that it keeps between calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

import torch
from torch import Tensor

from semguide.adapters.pipelines.caches import is_known, layers_of
from semguide.adapters.pipelines.patching import Forward
from semguide.errors import UnsupportedPipeline

_DEPTH = 4
"""How far from a patch a tensor is looked for: function, what it closes over, its attributes, their entries."""
_REPLAYED = ContextVar("replayed", default=False)
"""Whether the present call of a denoiser was answered by what semguide kept of it, so that no patch was asked."""
_INNER = frozenset({"_parameters", "_buffers", "_modules"})


def note_replayed() -> None:
    """Say that the present call of a denoiser is answered by outputs that semguide kept."""
    _REPLAYED.set(True)


class PatchWatch:
    """Functions around a denoiser's forward, attention processors and modules in it that come from no known package.

    One that keeps a tensor of one call and puts another in its place in the next, or leaves the denoiser out, mixes up
    the prompt with the concepts. Such a one is found where it does so; it costs nothing where there are no patches.

    Args:
        denoiser: A torch module, compiled or not.
        name: What it is called in the error.
    """

    def __init__(self, denoiser: Any, name: str) -> None:
        denoiser = getattr(denoiser, "_orig_mod", denoiser)
        self._name = name
        self._patches = dict(_patches(denoiser)) if isinstance(denoiser, torch.nn.Module) else {}
        self._inner = _with_weights(denoiser) if self._around else []
        self._kept: dict[str, list[tuple[Tensor, int]]] = {}

    @property
    def _around(self) -> bool:
        return "" in self._patches

    def watched(self, forward: Forward) -> Forward:
        """Return the denoiser's forward, watched where there are patches."""
        if not self._patches:
            return forward

        def call(*args: Any, **kwargs: Any) -> Any:
            with self.call():
                return forward(*args, **kwargs)

        return call

    @contextmanager
    def call(self) -> Iterator[None]:
        """Watch one call of the denoiser.

        Raises:
            UnsupportedPipeline: A patch keeps state, or left the denoiser out.
        """
        if not self._patches:
            yield
            return
        reached: list[Any] = []
        _REPLAYED.set(False)
        hooks = [module.register_forward_pre_hook(lambda *_: reached.append(True)) for module in self._inner]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()
        if self._around and not reached and not _REPLAYED.get():
            raise self._refusal("", "answered a call without asking the denoiser")
        for where, patch in self._patches.items():
            before, self._kept[where] = self._kept.get(where, []), _kept(patch)
            still = {(id(tensor), version) for tensor, version in self._kept[where]}
            if any((id(tensor), version) not in still for tensor, version in before):
                raise self._refusal(where, "keeps tensors from one call to the next")

    def _refusal(self, where: str, found: str) -> UnsupportedPipeline:
        patch = self._patches[where]
        kind = f"{type(patch).__module__}.{type(patch).__qualname__}"
        named = f"{patch.__module__}.{patch.__qualname__}" if hasattr(patch, "__qualname__") else kind
        place = f"around {self._name}.forward" if not where else f"at {self._name}.{where}"
        return UnsupportedPipeline(f"{named} {place} {found}, which would mix up concepts; take it off first")


def _patches(denoiser: torch.nn.Module) -> Iterator[tuple[str, Any]]:
    """Yield what is not from a known package with its place: "" for what is around the whole forward."""
    own = type(denoiser)
    for forward in layers_of(vars(denoiser).get("forward")):
        if not is_known(forward) and getattr(forward, "__self__", None) is not denoiser:
            yield "", forward
            break
    for path, module in denoiser.named_modules():
        processor = vars(module).get("processor")
        if processor is not None and not is_known(type(processor)):
            yield f"{path}.processor", processor
        kind = type(module)
        if path and kind.__module__ != own.__module__ and not is_known(kind):
            yield path, module


def _with_weights(denoiser: torch.nn.Module) -> list[torch.nn.Module]:
    """Return the modules that hold weights themselves."""
    return [module for module in denoiser.modules() if module._parameters]


def _kept(patch: Any) -> list[tuple[Tensor, int]]:
    """Return the tensors that a patch holds, each with the number of its changes in place."""
    return [(found, 0 if found.is_inference() else found._version) for found in _tensors(patch, _DEPTH)]


def _tensors(item: Any, depth: int) -> Iterator[Tensor]:
    """Yield the tensors that a patch holds: as an attribute, in what it closes over, in a dictionary; not in lists."""
    if isinstance(item, Tensor):
        yield item
    elif depth and isinstance(item, Mapping):
        for value in list(item.values()):
            yield from _tensors(value, depth - 1)
    elif depth:
        for value in _held(item):
            yield from _tensors(value, depth - 1)


def _held(item: Any) -> list[Any]:
    """Return what a function closes over or is bound to, or the attributes of an object that is no pipeline's part."""
    if isinstance(item, partial):
        return [item.func, *item.args, *item.keywords.values()]
    function = getattr(item, "__func__", item)
    if hasattr(function, "__closure__"):
        cells = [cell.cell_contents for cell in function.__closure__ or () if _filled(cell)]
        return [*cells, getattr(item, "__self__", None)]
    if item is None or isinstance(item, type) or (is_known(type(item)) or not hasattr(item, "__dict__")):
        return []
    return [value for name, value in vars(item).items() if name not in _INNER]


def _filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:  # a name that has no value yet
        return False
