"""Context managers that patch a pipeline and restore it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import RLock, get_ident
from typing import Any
from weakref import WeakKeyDictionary

Forward = Callable[..., Any]
_NONE = object()
_COMPILED = "_compiled_call_impl"
"""Where `torch.nn.Module.compile` puts the compiled call."""
_LOCK = RLock()


class _Route:
    """The forward that one pipeline call has given to a module, for the thread in which it runs."""

    def __init__(self, call: Forward) -> None:
        self.call = call
        self.busy = False
        self.thread = get_ident()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.busy = True
        try:
            return self.call(*args, **kwargs)
        finally:
            self.busy = False


class _Router:
    """Stands in for the forward of a module: the calls of each thread go where its last pipeline call wants them.

    So pipelines that share a denoiser do not see each other: what another thread calls, and what is called while a
    route is at work or paused (by an observer or a callback), goes to the forward that was there before.
    """

    def __init__(self, module: Any, name: str) -> None:
        self.routes: tuple[_Route, ...] = ()  # replaced whole: another thread may be looking through them
        self._name = name
        self._before = module.__dict__.get(name, _NONE)
        self.forward: Forward = getattr(module, name)
        self.wrapper = self._dispatcher()
        setattr(module, name, self.wrapper)

    def present(self) -> Forward:
        """Return the forward of this thread."""
        mine = [route for route in self.routes if route.thread == get_ident()]
        return mine[-1] if mine and not mine[-1].busy else self.forward

    def close(self, module: Any) -> None:
        """Put back what was there before; model offload may have done so already."""
        if module.__dict__.get(self._name) is not self.wrapper:
            return
        if self._before is _NONE:
            delattr(module, self._name)
        else:
            setattr(module, self._name, self._before)

    def _dispatcher(self) -> Forward:
        def dispatched(*args: Any, **kwargs: Any) -> Any:
            return self.present()(*args, **kwargs)

        vars(dispatched)["__wrapped__"] = self.forward  # for who asks for the signature, or what is beneath
        return dispatched


_ROUTERS: dict[tuple[int, str], _Router] = {}
"""The router that is at work in a module, by the id of the module and the name of the method."""


_TURNS: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()


@contextmanager
def replaced_forward(module: Any, wrap: Callable[[Forward], Forward], name: str = "") -> Iterator[_Route]:
    """Replace the forward of a module, or another method, for the calls of this thread, while the context lasts.

    What is wrapped is the forward of that moment, so the wrapper of an offload hook stays in force. Model offload takes
    its hooks off and puts them on again at the end of a pipeline call, which removes the replacement on the way; then
    there is nothing to put back. Of a module compiled in place (`module.compile()`) it is the compiled call that is
    wrapped, so that no graph is broken.

    Args:
        module: A torch module, compiled or not.
        wrap: Makes the new forward of the present one.
        name: Another method in its place.

    Yields:
        The replacement, which `paused` takes out of force for a while.
    """
    name = name or ("forward" if getattr(module, _COMPILED, None) is None else _COMPILED)
    with _LOCK:
        key = (id(module), name)
        router = _ROUTERS.get(key)
        if router is None or module.__dict__.get(name) is not router.wrapper:
            router = _ROUTERS[key] = _Router(module, name)
        route = _Route(wrap(router.present()))
        router.routes = (*router.routes, route)
    try:
        yield route
    finally:
        with _LOCK:
            router.routes = tuple(other for other in router.routes if other is not route)
            if not router.routes:
                router.close(module)
                if _ROUTERS.get(key) is router:
                    del _ROUTERS[key]


def pausing(function: Callable[..., Any], routes: Sequence[Any]) -> Callable[..., Any]:
    """Return a function that takes replacements out of force while it runs: it may run a pipeline of its own."""

    def paused(*args: Any, **kwargs: Any) -> Any:
        for route in routes:
            route.busy = True
        try:
            return function(*args, **kwargs)
        finally:
            for route in routes:
                route.busy = False

    return paused


@contextmanager
def tapped_method(owner: Any, name: str, take: Callable[[Any], None]) -> Iterator[None]:
    """Hand what a method returns to a function, too, while the context lasts; nothing where there is no such method."""
    method = getattr(owner, name, None)
    if method is None:
        yield
        return

    with replaced_attribute(owner, name, _tapped(method, take)):
        yield


@contextmanager
def decoding_tapped(vae: Any, take: Callable[[Any], None]) -> Iterator[None]:
    """Hand what an autoencoder decodes for this thread to a function, too, while the context lasts."""
    if not hasattr(vae, "decode"):
        yield
        return
    with replaced_forward(vae, lambda decode: _tapped(decode, take), "decode"):
        yield


def _tapped(method: Forward, take: Callable[[Any], None]) -> Forward:
    def tapped(*args: Any, **kwargs: Any) -> Any:
        result = method(*args, **kwargs)
        take(result)
        return result

    return tapped


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
def in_turn(pipe: Any) -> Iterator[None]:
    """Let one thread at a time run a pipeline: its scheduler and its scale are those of one call."""
    with _LOCK:
        turn = _TURNS.get(pipe)
        if turn is None:
            turn = _TURNS[pipe] = RLock()
    with turn:
        yield


_SLICED: dict[int, tuple[int, Any]] = {}
"""How many calls decode image by image with an autoencoder, by its id, and its setting before the first of them."""


@contextmanager
def one_by_one_decoding(vae: Any) -> Iterator[None]:
    """Have the autoencoder decode image by image, so that no image depends on its batch, while the context lasts."""
    if getattr(vae, "use_slicing", None) is None:
        yield
        return
    with _LOCK:
        users, before = _SLICED.get(id(vae), (0, vae.use_slicing))
        _SLICED[id(vae)] = (users + 1, before)
        vae.use_slicing = True
    try:
        yield
    finally:
        with _LOCK:
            users, before = _SLICED.pop(id(vae))
            if users > 1:
                _SLICED[id(vae)] = (users - 1, before)
            else:
                vae.use_slicing = before
