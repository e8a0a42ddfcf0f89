"""Finds what keeps state between the calls of a denoiser: with it the concepts would be mixed up with the prompt."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from semguide.errors import UnsupportedPipeline

_KNOWN = frozenset({"accelerate", "bitsandbytes", "diffusers", "optimum", "peft", "semguide", "torch", "torchao"}) | {
    "transformers",
    "xformers",
}
"""Packages whose wrappers of a forward keep nothing, diffusers' stateful hooks excepted, which say so themselves."""

_REMEDIES: Mapping[str, str] = {
    "DeepCache": "call the helper's disable() first",
    "para_attn": "load the pipeline anew without it",
    "cache_dit": "call cache_dit.disable_cache(pipe) first",
}
_CACHE_DIT = "_is_cached"
"""The attribute that cache-dit sets on a transformer whose blocks it has replaced."""


def check_no_cache(denoiser: Any, name: str, *, own_caches: bool = False) -> None:
    """Check that a denoiser does not skip work by what it computed before, whoever made it do so.

    Offload, layerwise casting, compilation, LoRA, attention processors, and a function around the forward of the
    denoiser itself are no caches. A forward that stands in for that of a part of the denoiser, or of its class, may be.

    Args:
        denoiser: A torch module, compiled or not.
        name: What it is called in the error.
        own_caches: Whether diffusers' caches are allowed, because each prediction has a state of its own in them.

    Raises:
        UnsupportedPipeline: It does; the message says what was found and how to take it off.
    """
    denoiser = getattr(denoiser, "_orig_mod", denoiser)
    if not own_caches and getattr(denoiser, "is_cache_enabled", False):
        raise UnsupportedPipeline(_sentence(name, "a cache", f"call {name}.disable_cache() first"))
    if _of_cache_dit(denoiser):
        raise UnsupportedPipeline(_sentence(name, "a cache of cache_dit", _REMEDIES["cache_dit"]))
    if not hasattr(denoiser, "named_modules"):
        return
    kinds: set[type] = set()
    for path, module in denoiser.named_modules():
        where = f"{name}.{path}" if path else name
        hooks = [] if own_caches else _stateful_hooks(module)
        if hooks:
            raise UnsupportedPipeline(_sentence(where, hooks[0][1], _hook_remedy(name, denoiser)))
        if type(module) not in kinds:
            kinds.add(type(module))
            _check_class(type(module), where)
        _check_forward(module, where, whole=not path)


def _sentence(where: str, found: str, remedy: str) -> str:
    return f"{where} has {found}, which keeps state between its calls and would mix up concepts; {remedy}"


def _of_cache_dit(denoiser: Any) -> bool:
    return bool(vars(denoiser).get(_CACHE_DIT)) or any(
        bool(vars(kind).get(_CACHE_DIT)) for kind in type(denoiser).__mro__
    )


def _stateful_hooks(module: Any) -> list[tuple[str, str]]:
    """Return names and classes of the hooks of a module, registered with diffusers, that keep state."""
    hooks: Mapping[str, Any] = getattr(vars(module).get("_diffusers_hook"), "hooks", {})
    kinds = {name: type(hook).__name__ for name, hook in hooks.items()}
    return [
        (name, kinds[name]) for name in hooks if getattr(hooks[name], "_is_stateful", False) or "Cache" in kinds[name]
    ]


def _hook_remedy(name: str, denoiser: Any) -> str:
    names = {hook: None for module in denoiser.modules() for hook, _ in _stateful_hooks(module)}
    return (
        f"take it off first: HookRegistry.check_if_exists_or_initialize({name}).remove_hook(hook) "
        f"(of diffusers.hooks) for hook in {', '.join(map(repr, names))}"
    )


def _check_class(kind: type, where: str) -> None:
    """Check that the forward of a class is its own: that it comes from the package that the class comes from."""
    owner = next((base for base in kind.__mro__ if "forward" in vars(base)), None)
    if owner is None:
        return
    forward = vars(owner)["forward"]
    if _package(owner.__module__) != (found := _package(_home(forward))) and found not in _KNOWN:
        remedy = _REMEDIES.get(found, f"give the class its own forward again, or do without {_named(forward)}")
        raise UnsupportedPipeline(
            _sentence(where, f"{_named(forward)} in the place of {owner.__name__}.forward", remedy)
        )


def _check_forward(module: Any, where: str, *, whole: bool) -> None:
    """Check that the forward of a module is that of its class, or wraps it as offload and compilation do.

    The forward of the whole denoiser may be wrapped by anything else, which `patches` watches, but not exchanged. A
    part without weights, such as the embedding of timesteps, is the same for every concept.
    """
    for forward in layers_of(vars(module).get("forward")):
        own = getattr(forward, "__func__", None)
        if own is not None and getattr(forward, "__self__", None) is module and _inherited(type(module), own):
            continue
        if _has_no_weights(module):
            continue
        package = _package(_home(forward))
        if package in _KNOWN or (whole and own is None and package not in _REMEDIES):
            continue
        remedy = _REMEDIES.get(package, f"take it off first (del {where}.forward gives back that of its class)")
        raise UnsupportedPipeline(_sentence(where, f"{_named(forward)} in the place of its forward", remedy))


def _has_no_weights(module: Any) -> bool:
    return next(module.parameters(), None) is None and next(module.children(), None) is None


def is_known(item: Any) -> bool:
    """Say whether a function, or a class, comes from a package whose wrappers keep nothing."""
    home = item.__module__ if isinstance(item, type) else _home(item)
    return _package(home) in _KNOWN | {"builtins"}


def layers_of(forward: Any) -> Iterator[Any]:
    """Yield a forward and what it says that it wraps, from the outside to the inside."""
    seen: list[int] = []
    while forward is not None and id(forward) not in seen:
        seen.append(id(forward))
        yield forward
        forward = vars(forward).get("__wrapped__") if hasattr(forward, "__dict__") else None


def _inherited(kind: type, function: Any) -> bool:
    return any(vars(base).get("forward") is function for base in kind.__mro__)


def _plain(forward: Any) -> Any:
    while isinstance(forward, partial):
        forward = forward.func
    return getattr(forward, "__func__", forward)


def _home(forward: Any) -> str:
    """Return the name of the module whose code a forward is, whatever a decorator says of it."""
    function = _plain(forward)
    known = getattr(function, "__globals__", None)
    return type(function).__module__ if known is None else str(known.get("__name__", ""))


def _named(forward: Any) -> str:
    function = _plain(forward)
    name = (
        getattr(function, "__qualname__", type(function).__qualname__)
        if inspect.isroutine(function)
        else type(function).__name__
    )
    return f"{_home(forward)}.{name}"


def _package(module: str) -> str:
    return module.partition(".")[0]
